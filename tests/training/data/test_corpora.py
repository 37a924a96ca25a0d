from __future__ import annotations

import csv
from pathlib import Path

import pytest
from rtser_train.data.corpora import UNKNOWN_SPEAKER, CorpusError, noise_recordings, read_corpus

HASH = "d37a76a6e3b2eb5b1b2b4f0ec9b5f7d36a0b71d2ab5d56bd9c1c9a46"
NO_HASH = "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"

LAYOUTS = {
    "emodb": ("wav/03a01Fa.wav", "03", "happy", "a01"),
    "ravdess": ("Actor_12/03-01-06-01-02-01-12.wav", "Actor_12", "fear", "02"),
    "casia": ("liuchanhg/surprise/382.wav", "liuchanhg", "surprise", "382"),
    "nemo": ("samples/SM0_anger_77.wav", "SM0", "angry", "77"),
    "savee": ("AudioData/DC/sa04.wav", "DC", "sad", "sa04"),
    "emovo": ("EMOVO/f1/gio-f1-b2.wav", "f1", "happy", "b2"),
    "crema-d": ("AudioWAV/1001_DFA_ANG_XX.wav", "1001", "angry", "DFA"),
    "banglaser": ("wav/03-01-04-02-02-03-21.wav", "21", "surprise", "02"),
    "ased": ("04Sad/S4-07-02-02-56.wav", "56", "sad", "s4-07"),
    "indian_emospeech": (f"Near Lake/stop-safe-fearful-1561964989.081509-{HASH}.wav", HASH[:12], "fear", "stop"),
    "emogator": ("mp3/000346-03-3.mp3", "000346", "anger", ""),
    "tess": ("OAF_Pleasant_surprise/OAF_back_ps.wav", "OAF", "surprise", "back"),
}
SEXES = {
    "emodb": "male",
    "ravdess": "female",
    "nemo": "male",
    "savee": "male",
    "emovo": "female",
    "crema-d": "male",
    "banglaser": "male",
    "ased": "male",
    "tess": "female",
}
"""Of the speakers of `LAYOUTS`, where the publisher says it."""
COUNTS = {"emodb": (535, 10), "ravdess": (1440, 24), "casia": (1200, 4), "nemo": (4481, 9)}
FURTHER = {
    "ased": (2474, 65),
    "banglaser": (1466, 34),
    "crema-d": (7435, 91),
    "emogator": (32039, 356),
    "indian_emospeech": (6347, 106),
    "tess": (2800, 2),
}
EMOTIONS = {
    "anger": "angry",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_native_names_tell_speaker_emotion_and_sentence(tmp_path, corpus):
    name, speaker, emotion, sentence = LAYOUTS[corpus]
    path = touch(tmp_path / name)
    touch(tmp_path / "notes.wav")
    touch(tmp_path / ".hidden" / name)
    (one,) = read_corpus(corpus, tmp_path)
    assert (one.path, one.speaker, one.emotion, one.sentence) == (path, speaker, emotion, sentence)
    assert one.group == f"{corpus}/{speaker}"
    assert one.sex == SEXES.get(corpus, "")


def test_savee_in_one_folder_has_the_speaker_in_the_name(tmp_path):
    touch(tmp_path / "JK_su12.wav")
    (one,) = read_corpus("savee", tmp_path)
    assert (one.speaker, one.emotion) == ("JK", "surprise")


def test_tess_has_one_file_that_is_named_wrongly(tmp_path):
    touch(tmp_path / "OAF_neutral/OA_bite_neutral.wav")
    assert read_corpus("tess", tmp_path)[0].speaker == "OAF"


def test_recordings_known_to_be_defective_are_left_out(tmp_path):
    touch(tmp_path / "crema-d" / "1076_MTI_SAD_XX.wav")
    touch(tmp_path / "crema-d" / "1076_MTI_ANG_XX.wav")
    touch(tmp_path / "emogator" / "000160-01-1.mp3")
    touch(tmp_path / "emogator" / "000161-01-1.mp3")
    for corpus in ("crema-d", "emogator"):
        assert len(read_corpus(corpus, tmp_path / corpus)) == 1


def test_emogator_numbers_its_emotions_by_the_alphabet(tmp_path):
    for number in range(32):
        touch(tmp_path / f"000001-{number:02}-1.mp3")
    emotions = [one.emotion for one in read_corpus("emogator", tmp_path)]
    assert (len(emotions), emotions) == (30, sorted(emotions))
    assert (emotions[0], emotions[-1]) == ("adoration", "triumph")


def test_clips_of_indian_emospeech_without_a_speaker_are_of_one_who_is_unknown(tmp_path):
    touch(tmp_path / "Misc" / f"unknown-safe-calm-20190712132243-{NO_HASH}.wav")
    (one,) = read_corpus("indian_emospeech", tmp_path)
    assert (one.speaker, one.emotion, one.sentence) == (UNKNOWN_SPEAKER, "calm", "")


def test_noises_of_indian_emospeech_are_left_out(tmp_path):
    for time in ("20190712132243", "20190712132243 copy", "??"):
        touch(tmp_path / "Metro" / f"go-safe-happy-{time}-{HASH}.wav")
    for noise in ("background-safe-calm", "unknown-gunshots-None", "unknown-glass break-None", "go-safe-None"):
        touch(tmp_path / "Metro" / f"{noise}-20190712132243-{HASH}.wav")
    assert {one.sentence for one in read_corpus("indian_emospeech", tmp_path)} == {"go"}
    assert len(read_corpus("indian_emospeech", tmp_path)) == 3


def iemocap(root, *lines):
    """A session with a label file of some lines, and a recording for each utterance."""
    labels = root / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    labels.parent.mkdir(parents=True)
    header = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
    labels.write_text("\n".join([*header, *lines, "C-E2:\tNeutral;\t()", "A-E3:\tval 3; act 2; dom 2;\t()"]))
    for line in lines:
        name = line.split("\t")[1]
        touch(root / "Session1" / "sentences" / "wav" / name.rpartition("_")[0] / f"{name}.wav")
    return labels


def test_crema_d_has_43_women_and_48_men(tmp_path):
    for speaker in range(1001, 1092):
        touch(tmp_path / "AudioWAV" / f"{speaker}_DFA_ANG_XX.wav")
    found = read_corpus("crema-d", tmp_path)
    assert [sum(one.sex == sex for one in found) for sex in ("female", "male")] == [43, 48]


def test_iemocap_is_read_by_its_label_files(tmp_path):
    iemocap(
        tmp_path,
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]",
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.0000, 4.0000, 2.5000]",
        "[14.8872 - 18.0175]\tSes01F_impro01_F002\txxx\t[2.5000, 2.5000, 2.5000]",
    )
    found = read_corpus("iemocap", tmp_path)
    assert [(one.speaker, one.emotion) for one in found] == [("Ses01F", "neutral"), ("Ses01M", "excited")]
    assert [one.sex for one in found] == ["female", "male"]


def test_iemocap_without_a_recording_or_with_an_unknown_label_is_refused(tmp_path):
    labels = iemocap(tmp_path, "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]")
    text = labels.read_text()
    labels.write_text(text.replace("\tneu\t", "\tjoy\t"))
    with pytest.raises(CorpusError, match=r"Ses01F_impro01.txt.*joy"):
        read_corpus("iemocap", tmp_path)
    labels.write_text(text.replace("F000", "F001"))
    with pytest.raises(CorpusError, match="no such recording"):
        read_corpus("iemocap", tmp_path)


def test_ravdess_songs_are_left_out(tmp_path):
    touch(tmp_path / "Actor_01/03-01-03-01-01-01-01.wav")
    touch(tmp_path / "Actor_01/03-02-03-01-01-01-01.wav")
    assert len(read_corpus("ravdess", tmp_path)) == 1


def check_against_manifest(corpus, root, names, counts):
    found = read_corpus(corpus, root)
    with (root / "manifest.csv").open() as lines:
        rows = {row["path"]: row for row in csv.DictReader(lines)}
    assert sorted(one.name for one in found) == sorted(rows)
    assert (len(found), len({one.speaker for one in found})) == counts
    for one in found:
        row = rows[one.name]
        assert one.speaker == row["speaker"]
        assert one.emotion == names.get(row["emotion"], row["emotion"])
        assert one.sex in ("", row["sex"]) or not row["sex"]


@pytest.mark.parametrize("corpus", COUNTS)
def test_the_real_corpora_are_read_as_their_manifests_say(data, corpus):
    check_against_manifest(corpus, data / corpus, EMOTIONS, COUNTS[corpus])


@pytest.mark.parametrize("corpus", FURTHER)
def test_further_real_corpora_are_read_as_their_manifests_say(corpora, corpus):
    if not (corpora / corpus / "manifest.csv").is_file():
        pytest.skip(f"no {corpus} with its manifest at {corpora / corpus}; RTSER_CORPORA names the folder of corpora")
    check_against_manifest(corpus, corpora / corpus, {}, FURTHER[corpus])


def test_a_missing_corpus_is_named_with_the_option_that_points_to_it(tmp_path):
    with pytest.raises(CorpusError, match=r"corpus emodb.*--corpus emodb=PATH"):
        read_corpus("emodb", tmp_path / "none")
    with pytest.raises(CorpusError, match=r"no utterance.*--corpus emodb=PATH"):
        read_corpus("emodb", tmp_path)
    with pytest.raises(CorpusError, match=r"noise esc10.*--corpus esc10=PATH"):
        noise_recordings("esc10", tmp_path / "none")


def table(folder, text):
    touch(folder / "a.wav")
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_what_is_neither_a_corpus_nor_a_table_nor_a_database_is_refused(tmp_path):
    with pytest.raises(CorpusError, match=r"neither a CSV table nor a folder with the db.yaml.*--corpus mine=PATH"):
        read_corpus("mine", tmp_path)


def test_a_table_of_ones_own(tmp_path):
    (one,) = read_corpus("mine", table(tmp_path, "path,emotion,speaker\na.wav,bored,Eve\n"))
    assert (one.corpus, one.speaker, one.emotion, one.sentence) == ("mine", "Eve", "bored", "")


def test_a_table_may_say_the_speakers_sex(tmp_path):
    (one,) = read_corpus("mine", table(tmp_path, "path,emotion,speaker,sex\na.wav,bored,Eve,F\n"))
    assert one.sex == "female"


def test_a_runs_fingerprint_of_its_recordings_does_not_know_the_sex(tmp_path):
    (one,) = read_corpus("mine", table(tmp_path, "path,emotion,speaker,sex\na.wav,bored,Eve,f\n"))
    (other,) = read_corpus("mine", table(tmp_path, "path,emotion,speaker\na.wav,bored,Eve\n"))
    assert str(one) == str(other)


def test_a_table_may_cut_a_recording_and_deal_its_parts_into_sessions_and_folds(tmp_path):
    rows = "path,emotion,speaker,start,end,session,fold\na.wav,bored,Eve,0,1.5,s1,2\na.wav,sad,Bob,1.5,,s1,1\n"
    first, second = read_corpus("mine", table(tmp_path, rows))
    assert (first.start_s, first.end_s, first.session, first.fold) == (0.0, 1.5, "s1", "2")
    assert (second.start_s, second.end_s, second.fold) == (1.5, None, "1")
    assert first.name != second.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\na.wav,sad\n", "column 'speaker' is missing"),
        ("path,emotion,speaker\na.wav,,Eve\n", "line 2: the column 'emotion' is empty"),
        ("path,emotion,speaker\na.wav,sad,Eve\nb.wav,sad,Eve\n", "line 3: there is no file"),
        ("path,emotion,speaker\na.wav,sad,Eve\na.wav,sad,eve\n", "stands there 2 times"),
        ("path,emotion,speaker\n", "no utterance"),
        (
            "path,emotion,speaker,start\na.wav,sad,Eve,soon\n",
            "line 2: start or end is not a number; write seconds",
        ),
        ("path,emotion,speaker,start,end\na.wav,sad,Eve,3,2\n", "line 2: the utterance ends before it starts"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        read_corpus("mine", table(tmp_path, text))
