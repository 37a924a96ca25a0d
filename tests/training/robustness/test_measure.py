"""The whole measurement on a corpus of a few seconds, with the shipped model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rtser_train.progress import ProgressReporter
from rtser_train.robustness import listening
from rtser_train.robustness.conditions import CONDITIONS, chosen_groups
from rtser_train.robustness.contestants import Contestant, Part, of_file
from rtser_train.robustness.measure import Request, measure, notes_of
from rtser_train.robustness.report import write_report
from rtser_train.robustness.results import Report
from rtser_train.robustness.sounds import find_sounds
from training.small_corpus import small_corpus, small_noise, small_rooms, write

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import InputError
from rtser.models import default_model_path
from rtser.testing import tiny_model_bytes

QUIET = ProgressReporter(quiet=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus, noise, rooms, and a sound without speech."""
    root = tmp_path_factory.mktemp("robust")
    small_corpus(root / "mine")
    small_noise(root / "esc10")
    small_rooms(root / "rir")
    write(root / "wind" / "a.wav", np.zeros(SAMPLE_RATE))
    return root


@pytest.fixture(scope="module")
def shipped() -> Contestant:
    return of_file(default_model_path())


def request_of(folder, contestants, conditions=None, **more):
    groups = chosen_groups(conditions)
    noise = "esc10", folder / "esc10"
    sounds = find_sounds(groups, 0, noise, False, folder / "rir", [folder / "wind"])
    asked = {
        "contestants": tuple(contestants),
        "roots": {"mine": folder / "mine" / "table.csv"},
        "sounds": sounds,
        "groups": groups,
        "merge": None,
        "limit": None,
        "speakers": (),
        "seed": 0,
        "command": "rtser robustness ...",
    }
    return Request(**(asked | more))


@pytest.fixture(scope="module")
def full(folder, shipped, tmp_path_factory) -> tuple[Report, str]:
    """A report of all conditions, and its Markdown."""
    output = tmp_path_factory.mktemp("full")
    report = measure(request_of(folder, [shipped]), output / "kept", QUIET, jobs=1)
    return report, write_report(report, output)


def test_every_condition_has_a_row(full):
    report, markdown = full
    result = report.corpora["mine"]
    assert [one.name for one in result.conditions] == [one.name for one in CONDITIONS]
    assert [one.seconds for one in result.speech] == [0.5, 1, 2, 3]
    assert all(f"| {one.title} |" in markdown for one in CONDITIONS)
    assert (result.utterances, result.speakers, result.emotions) == (18, 3, ["angry", "neutral", "sad"])
    assert result.merge == {"calm": "neutral"}


def test_the_whole_of_all_utterances_is_where_the_curve_ends(full):
    result = full[0].corpora["mine"]
    assert result.details[0].curve[-1].ua == pytest.approx(result.conditions[0].scores[0].ua.value)
    assert result.speech[-1].scores[0].share == pytest.approx(100)


def test_joined_utterances_leave_out_the_first_of_each_speaker(full):
    assert full[0].corpora["mine"].joined.utterances == 18 - 3


def test_clean_speech_is_shown_by_sex_and_by_speaker(full):
    report, markdown = full
    detail = report.corpora["mine"].details[0]
    assert {sex: one.speakers for sex, one in detail.by_sex.items()} == {"female": 1, "male": 2}
    assert list(detail.by_speaker) == ["ann", "bob", "cem"]
    assert "| worst speaker (" in markdown


def test_false_alarms_are_counted_on_each_folder_and_on_all_together(full):
    report, _ = full
    names, files = [one.sounds for one in report.alarms], [one.files for one in report.alarms]
    assert names == ["esc10, held-out third", "wind", "all together"]
    assert files[2] == files[0] + files[1]
    assert 0 < files[0] < 20


def test_the_report_is_read_back_from_its_file_and_shown_as_a_page_that_needs_nothing_else(folder, shipped, tmp_path):
    report = measure(request_of(folder, [shipped], "clean"), tmp_path / "kept", QUIET, jobs=1)
    write_report(report, tmp_path)
    assert Report.read(tmp_path / "report.json") == report
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 2
    assert 'src="http' not in page
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read as a report"):
        Report.read(tmp_path / "report.json")


def test_a_second_call_streams_nothing_and_finds_the_same(folder, shipped, tmp_path, monkeypatch):
    first = measure(request_of(folder, [shipped]), tmp_path, QUIET, jobs=1)

    def must_not_be_called(*_):
        raise AssertionError("this was measured before")

    for name in ("hear", "streamed", "false_alarms"):
        monkeypatch.setattr(listening, name, must_not_be_called)
    second = measure(request_of(folder, [shipped]), tmp_path, QUIET, jobs=1)
    assert second.model_copy(update={"written": first.written}) == first


def test_a_measurement_that_was_broken_off_goes_on(folder, shipped, tmp_path, monkeypatch):
    heard, calls = listening.hear, []

    def breaks_off(*arguments):
        calls.append(arguments)
        if len(calls) == 25:  # in the second condition
            raise KeyboardInterrupt
        return heard(*arguments)

    monkeypatch.setattr(listening, "hear", breaks_off)
    asked = request_of(folder, [shipped], "level")
    with pytest.raises(KeyboardInterrupt):
        measure(asked, tmp_path, QUIET, jobs=1)
    measure(asked, tmp_path, QUIET, jobs=1)
    assert len(calls) == 25 + 6 * 18  # clean speech was kept


def test_another_seed_or_a_changed_recording_is_measured_anew(folder, shipped, tmp_path):
    corpus = small_corpus(tmp_path / "mine")
    asked = request_of(folder, [shipped], "clean", roots={"mine": corpus})
    kept = tmp_path / "kept"
    measure(asked, kept, QUIET, jobs=1)
    measure(
        replace(asked, sounds=replace(asked.sounds, material=replace(asked.sounds.material, seed=1))), kept, QUIET, 1
    )
    write(tmp_path / "mine" / "ann-sad-0.wav", np.zeros(SAMPLE_RATE))
    measure(asked, kept, QUIET, jobs=1)
    assert len(list(kept.iterdir())) == 3


def test_a_damaged_result_is_measured_again(folder, shipped, tmp_path):
    asked = request_of(folder, [shipped], "clean")
    first = measure(asked, tmp_path, QUIET, jobs=1)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert measure(asked, tmp_path, QUIET, jobs=1).corpora == first.corpora


def test_two_models_are_compared_on_the_same_utterances_and_draws(folder, shipped, tmp_path):
    other = tmp_path / "tiny.onnx"
    other.write_bytes(tiny_model_bytes())
    asked = request_of(folder, [shipped, of_file(other)], "noise,speech,joined,nonspeech")
    report = measure(asked, tmp_path / "kept", QUIET, jobs=1)
    result = report.corpora["mine"]
    for row in (*result.conditions, *result.speech):
        first, second = (one.ua.value for one in row.scores)
        assert row.difference.value == pytest.approx(second - first)
    assert len(result.details) == len(result.joined.scores) == len(report.alarms[0].scores) == 2
    markdown = write_report(report, tmp_path)
    assert "| tiny less default |" in markdown
    assert result.conditions[0].scores[0].ua.value != result.conditions[0].scores[1].ua.value


def test_a_model_beside_itself_differs_by_nothing(folder, shipped, tmp_path):
    report = measure(request_of(folder, [shipped, shipped], "noise"), tmp_path, QUIET, jobs=1)
    assert [one.name for one in report.models] == ["default 1", "default 2"]
    for row in report.corpora["mine"].conditions:
        assert (row.difference.value, row.difference.interval) == (0, (0, 0))


def test_models_of_folds_are_measured_each_on_what_it_tested(folder, shipped, tmp_path):
    tiny = tmp_path / "tiny.onnx"
    tiny.write_bytes(tiny_model_bytes(labels=shipped.labels[:3]))
    (part,) = shipped.parts
    of = {
        speaker: frozenset(
            ("mine", f"{speaker}-{emotion}-{take}.wav") for emotion in ("angry", "calm", "sad") for take in (0, 1)
        )
        for speaker in ("ann", "bob", "cem")
    }
    nobody = Part(part.path, part.sha256, frozenset(), "3")
    folds = replace(
        shipped,
        name="folds",
        corpora=(),
        tested=("mine",),
        parts=(part._replace(tests=of["ann"], fold="1"), part._replace(tests=of["bob"], fold="2"), nobody),
    )
    report = measure(request_of(folder, [folds], "clean"), tmp_path / "kept", QUIET, jobs=1)
    whole = measure(request_of(folder, [shipped], "clean", speakers=("ann", "bob")), tmp_path / "kept", QUIET, jobs=1)
    assert report.corpora["mine"].utterances == 12
    assert report.corpora == whole.corpora
    gone = replace(folds, parts=(part._replace(tests=frozenset({("mine", "gone.wav")}) | of["ann"]),))
    with pytest.raises(InputError, match=r"mine gone.wav was tested and is no longer there"):
        measure(request_of(folder, [gone], "clean"), tmp_path / "kept", QUIET, jobs=1)


def test_the_report_says_that_figures_are_of_speakers_that_the_model_was_trained_on(folder, shipped, tmp_path):
    trained = replace(shipped, corpora=("mine",))
    report = measure(request_of(folder, [trained], "clean"), tmp_path, QUIET, jobs=1)
    assert report.corpora["mine"].trained_on == ["default"]
    assert "**default was trained on mine: its figures there are of speakers" in write_report(report, tmp_path)
    report = measure(request_of(folder, [shipped], "clean"), tmp_path, QUIET, jobs=1)
    assert report.corpora["mine"].trained_on == []


def test_what_is_not_there_is_left_out_and_the_report_says_so(folder, shipped, tmp_path):
    groups = chosen_groups("noise,rooms,nonspeech")
    sounds = find_sounds(groups, 0, ("esc10", tmp_path / "none"), False, None, [])
    report = measure(request_of(folder, [shipped], groups=groups, sounds=sounds), tmp_path / "kept", QUIET, jobs=1)
    assert [one.name for one in report.corpora["mine"].conditions] == ["clean"]
    assert report.alarms == []
    assert ["noise" in report.notes[0], "rooms" in report.notes[1], "--nonspeech" in report.notes[2]] == [True] * 3


def test_noise_that_was_asked_for_or_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"noise street: .*none does not exist; say where it lies"):
        find_sounds(["noise"], 0, ("street", tmp_path / "none"), True, None, [])
    for rooms, nonspeech, option in ((tmp_path, [], "--rooms"), (None, [tmp_path], "--nonspeech")):
        with pytest.raises(InputError, match=f"{option} .*no audio file"):
            find_sounds(["clean"], 0, ("esc10", tmp_path / "none"), False, rooms, nonspeech)
    with pytest.raises(InputError, match=r"--rooms .*no such folder"):
        find_sounds(["clean"], 0, ("esc10", tmp_path), False, tmp_path / "none", [])


def test_a_speaker_whom_no_corpus_has_is_named(folder, shipped, tmp_path):
    with pytest.raises(InputError, match="no corpus has a speaker zoe"):
        measure(request_of(folder, [shipped], "clean", speakers=("ann", "zoe")), tmp_path, QUIET, jobs=1)


def test_a_recording_that_cannot_be_read_is_named(folder, shipped, tmp_path):
    corpus = small_corpus(tmp_path / "mine")
    (tmp_path / "mine" / "ann-sad-0.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"^[^:]*ann-sad-0.wav is not an audio file"):
        measure(request_of(folder, [shipped], "clean", roots={"mine": corpus}), tmp_path / "kept", QUIET, jobs=1)


def test_an_empty_recording_is_not_decided_on(folder, shipped, tmp_path):
    corpus = small_corpus(tmp_path / "mine", each=1)
    write(tmp_path / "mine" / "ann-sad-0.wav", np.zeros(0))
    asked = request_of(folder, [shipped], "level,noise,rooms,codecs,speed,lead,joined", roots={"mine": corpus})
    report = measure(asked, tmp_path / "kept", QUIET, jobs=1)
    assert report.corpora["mine"].conditions[0].scores[0].undecided == pytest.approx(100 / 9)


@pytest.mark.parametrize(
    ("sounds", "held_out", "words"),
    [
        ("esc10", ("esc10",), ["was trained with sounds of esc10"]),
        ("esc10, held-out third", (), ["is not known"]),
        ("esc10, held-out third", ("esc10",), []),
        ("wind", (), []),
    ],
)
def test_noise_that_a_model_was_trained_with_is_told(folder, shipped, sounds, held_out, words):
    asked = request_of(folder, [shipped])
    asked = replace(asked, roots={}, sounds=replace(asked.sounds, without_speech={sounds: ()}))
    notes = notes_of(asked, [replace(shipped, noise=("esc10",), held_out=held_out)])
    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))
