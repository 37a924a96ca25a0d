"""Voices: enrolled, kept in files, learnt."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, sound
from hypothesis import given
from hypothesis import strategies as st

import rtser
from rtser.audio.source import Gap, MemorySource
from rtser.engine.decision import Utterance
from rtser.errors import ArgumentError, InputError, ModelError, OutputError
from rtser.models import load_bytes
from rtser.session import Session
from rtser.testing import tiny_model, tiny_model_bytes
from rtser.voice import BOUND, FLOOR, LONGEST_S, HeardSpeech, LearningVoice, Voice, average_voice, voice_factors

TINY = tiny_model()
DEMO = ROOT / "rtser" / "samples" / "demo.flac"
SPEECH = np.random.default_rng(0).normal(0, 0.1, 16_000 * 8).astype(np.float32)
SOON = rtser.VoiceSettings(auto_after_s=5, auto_strength=0.5)
KEYS = ["schema", "model", "labels", "mean_log_emotions", "speech_s", "created", "version"]
three = st.lists(st.floats(-9, 0), min_size=3, max_size=3).map(np.array)


def a_voice(**changes):
    return replace(rtser.enrol((SPEECH, 16_000), TINY), **changes)


def said(*emotions, seconds=2.0):
    return Utterance(0.0, seconds, dict(zip(TINY.labels, emotions, strict=True)), None, None, None)


class Kept:
    """A sink that keeps all events."""

    def __init__(self):
        self.events = []

    def write(self, event):
        self.events.append(event)

    def close(self):
        pass


def test_enrolment_hears_the_mean_of_log_emotions_over_utterances_by_their_lengths():
    result = rtser.recognise(DEMO, TINY)
    lengths = [one.end - one.start for one in result.utterances]
    logs = [np.log(np.maximum(list(one.emotions.values()), FLOOR)) for one in result.utterances]
    profile = rtser.enrol(DEMO, TINY).profile
    assert profile.mean_log_emotions == pytest.approx(np.average(logs, axis=0, weights=lengths), abs=1e-6)
    assert profile.speech_s == pytest.approx(sum(lengths), abs=1e-3)


def test_too_little_speech_is_refused_with_how_much_was_heard():
    with pytest.raises(InputError, match=r"^\d\.\d s of speech were heard, and a voice needs 5; speak for longer\.$"):
        rtser.enrol((SPEECH[:32_000], 16_000), TINY)
    with pytest.raises(InputError, match=r"^0\.0 s of speech"):
        rtser.enrol((np.zeros(160_000, np.float32), 16_000), TINY)


def test_a_voice_is_named_after_its_file():
    assert (rtser.enrol(DEMO, TINY).name, a_voice().name) == ("demo", "voice")
    assert rtser.enrol(DEMO, TINY, name="eve").name == "eve"


def test_a_file_holds_the_profile_and_nothing_else_and_gives_it_back(tmp_path):
    voice = a_voice()
    voice.save(tmp_path / "me.json")
    stored = json.loads((tmp_path / "me.json").read_text())
    assert list(stored) == KEYS
    assert stored["model"] == {"name": "tiny", "sha256": TINY.sha256}
    assert len(stored["mean_log_emotions"]) == len(stored["labels"]) == 3
    read = Voice.load(tmp_path / "me.json", strength=0.75)
    assert (read.profile, read.name, read.strength) == (voice.profile, "me", 0.75)


def test_a_file_that_exists_is_replaced_only_where_that_is_asked_for(tmp_path):
    path = tmp_path / "me.json"
    path.write_text("mine")
    with pytest.raises(ArgumentError, match="exists already"):
        a_voice().save(path)
    assert path.read_text() == "mine"
    a_voice().save(path, replace=True)
    assert Voice.load(path) == a_voice(name="me", profile=Voice.load(path).profile)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"me\.json cannot be written"):
        a_voice().save(tmp_path / "file" / "me.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema"),
        ({"labels": ["sad"]}, "one number for each label"),
        ({"mean_log_emotions": [0.0, "much", 0.0]}, "mean_log_emotions"),
        ({"mean_log_emotions": [0.0, float("nan"), 0.0]}, "mean_log_emotions"),
        ({"owner": "Eve"}, "owner"),
        ({"speech_s": -1}, "speech_s"),
    ],
)
def test_a_file_that_is_no_profile_is_refused_with_what_is_wrong(tmp_path, change, message):
    stored = json.loads(a_voice().profile.model_dump_json()) | change
    (tmp_path / "me.json").write_text(json.dumps(stored))
    with pytest.raises(InputError, match=rf"me\.json is not a voice profile \(.*{message}"):
        Voice.load(tmp_path / "me.json")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"me\.json cannot be read \(No such file"):
        Voice.load(tmp_path / "me.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"b\.json cannot be read \(it is not UTF-8 text\)"):
        Voice.load(tmp_path / "b.json")


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), "0.5", True])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ArgumentError, match="strength must be 0 to 1"):
        a_voice(strength=strength)


def test_a_voice_of_another_model_is_refused_in_one_sentence_wherever_it_is_used():
    other, voice = tiny_model(seed=1), a_voice(name="me")
    refused = r"^voice me was heard by the model tiny \(\w{8}\), not tiny \(\w{8}\); enrol it again with this model\.$"
    for use in (
        lambda: rtser.Stream(other, voice=voice),
        lambda: rtser.recognise(DEMO, other, voice=voice),
        lambda: rtser.listen(other, voice=voice),
        lambda: rtser.Bank(other).open(voice),
        lambda: LearningVoice(other, voice),
    ):
        with pytest.raises(ArgumentError, match=refused):
            use()
    with pytest.raises(ArgumentError, match="heard by another model"):
        rtser.Stream(other, voice=LearningVoice(TINY))


def test_a_refused_voice_leaves_a_bank_as_it_was():
    bank = rtser.Bank(tiny_model(seed=1))
    with pytest.raises(ArgumentError):
        bank.open(a_voice())
    assert (len(bank), bank.open()) == (0, 0)


def test_the_average_voice_is_the_models_baseline():
    values = (-2.0, -0.5, -1.5)
    assert average_voice(tiny_model(baseline=values).metadata).tolist() == list(values)


def test_without_a_baseline_neutral_has_the_label_threshold_and_the_others_share_the_rest():
    assert np.exp(average_voice(TINY.metadata)) == pytest.approx([0.3, 0.4, 0.3])


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_average_voice_is_finite_for_any_threshold(threshold):
    assert np.isfinite(average_voice(tiny_model(label_threshold=threshold).metadata)).all()


def test_a_model_without_a_baseline_and_without_neutral_is_refused():
    with pytest.raises(ArgumentError, match="model tiny does not know the average voice; recognise without a voice"):
        rtser.enrol(DEMO, tiny_model(labels=("angry", "happy", "sad")))


@pytest.mark.parametrize("values", [(-1.0, -1.0), (-1.0, -1.0, 0.5)])
def test_a_baseline_that_cannot_be_is_refused_with_the_model(values):
    with pytest.raises(ModelError, match="baseline"):
        load_bytes(tiny_model_bytes(baseline=values))


@given(three, three, st.floats(0, 1), st.floats(-5, 5))
def test_factors_are_bounded_and_a_constant_added_changes_nothing(voice, average, strength, constant):
    factors = voice_factors(voice, average, strength)
    assert factors.dtype == np.float32
    assert np.abs(np.log(np.float64(factors))).max() <= BOUND * strength + 1e-5
    assert voice_factors(voice + constant, average, strength) == pytest.approx(factors, rel=1e-4)


@given(three, st.floats(0, 1))
def test_the_average_voice_has_no_effect_and_nor_has_strength_zero(voice, strength):
    assert voice_factors(voice, voice, strength).tolist() == [1, 1, 1]
    assert voice_factors(voice, np.zeros(3), 0).tolist() == [1, 1, 1]


def test_what_a_voice_leans_to_when_it_is_neutral_becomes_less_likely():
    plain, with_voice = (rtser.recognise((SPEECH, 16_000), TINY, voice=voice) for voice in (None, a_voice(strength=1)))
    heard, average = a_voice().profile.mean_log_emotions, average_voice(TINY.metadata)
    most = TINY.labels[int(np.argmax(np.array(heard) - average))]
    assert with_voice.utterances[0].emotions[most] < plain.utterances[0].emotions[most]


def test_strength_zero_changes_no_probability():
    plain, with_voice = (rtser.recognise(DEMO, TINY, voice=voice) for voice in (None, a_voice(strength=0)))
    for one, other in zip(plain.decisions, with_voice.decisions, strict=True):
        assert (one.emotions is None) == (other.emotions is None)
        if one.emotions:
            assert other.emotions == pytest.approx(one.emotions, abs=1e-6)


def test_the_start_names_the_voice_and_null_without_one():
    assert rtser.recognise(DEMO, TINY, voice=a_voice(name="me")).start.voice == "me"
    assert rtser.recognise(DEMO, TINY).start.voice is None
    assert json.loads(rtser.recognise(DEMO, TINY).start.to_json())["voice"] is None


@pytest.mark.parametrize("chunk", [160, 997, 48_000])
@pytest.mark.parametrize("learns", [False, True])
def test_pushed_at_once_and_as_a_recording_the_events_are_the_same(chunk, learns):
    samples = rtser.audio.file.read_audio(DEMO)

    def voice():
        return LearningVoice(TINY, settings=SOON) if learns else a_voice()

    stream = rtser.Stream(TINY, voice=voice())
    pushed = [event for at in range(0, len(samples), chunk) for event in stream.push(samples[at : at + chunk])]
    pushed += stream.finish()
    result = rtser.recognise(DEMO, TINY, voice=voice())
    assert [event for event in pushed if event.type == "decision"] == result.decisions
    assert [event for event in pushed if event.type == "utterance" and event.final] == result.utterances


def test_a_learning_voice_changes_nothing_before_it_has_heard_enough():
    voice = LearningVoice(TINY, settings=SOON)
    assert voice.factors(TINY) is None
    voice.hear(said(0.8, 0.1, 0.1, seconds=4.9), None)
    assert voice.factors(TINY) is None
    voice.hear(said(0.8, 0.1, 0.1, seconds=0.2), None)
    angry, neutral, sad = voice.factors(TINY)
    assert angry < sad
    assert angry < neutral


def test_a_learning_voice_hears_what_an_enrolled_one_hears_whatever_it_shifts_meanwhile():
    plain, learner = a_voice(), LearningVoice(TINY, settings=SOON.model_copy(update={"auto_strength": 1.0}))
    for _ in range(4):
        rtser.recognise((SPEECH, 16_000), TINY, voice=learner)
    assert learner.factors(TINY) is not None
    assert learner.voice.profile.mean_log_emotions == pytest.approx(plain.profile.mean_log_emotions, abs=0.02)
    assert learner.speech_s == pytest.approx(4 * plain.profile.speech_s, abs=0.01)


def test_what_is_unlike_what_was_heard_long_ago_takes_its_place():
    learner = LearningVoice(TINY, settings=rtser.VoiceSettings(auto_hours=0.01))
    for emotions in [(0.8, 0.1, 0.1)] * 100 + [(0.1, 0.1, 0.8)] * 100:
        learner.hear(said(*emotions), None)
    assert np.exp(learner.voice.profile.mean_log_emotions) == pytest.approx([0.1, 0.1, 0.8], abs=0.02)


@given(st.lists(st.tuples(three, st.floats(0.3, 50)), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_a_mean_without_fading_does_not_depend_on_the_order(heard, random):
    def mean(pairs):
        found = HeardSpeech(np.zeros(3))
        for logs, seconds in pairs:
            found = found.with_utterance(said(*np.exp(logs), seconds=seconds), None, float("inf"))
        return found

    one, other = mean(heard), mean(random.sample(heard, len(heard)))
    assert one.mean == pytest.approx(other.mean, abs=1e-9)
    assert one.speech_s == pytest.approx(other.speech_s)


def test_one_endless_utterance_counts_no_more_than_a_minute():
    learner = LearningVoice(TINY)
    learner.hear(said(0.8, 0.1, 0.1, seconds=7200.0), None)
    assert learner.speech_s == LONGEST_S


def test_a_learning_voice_goes_on_from_what_was_known_and_forgets():
    learner = LearningVoice(TINY, a_voice(), SOON)
    assert learner.voice.profile.mean_log_emotions == a_voice().profile.mean_log_emotions
    assert learner.factors(TINY) is not None
    learner.forget()
    assert (learner.speech_s, learner.factors(TINY)) == (0, None)


def test_an_utterance_that_a_gap_cuts_off_is_heard_too():
    learner, kept = LearningVoice(TINY), Kept()
    chunks = [SPEECH, Gap("lost", "gone"), Gap("open", "back"), SPEECH]
    Session(TINY, voice=learner).run(MemorySource(chunks), [kept])
    ended = [event for event in kept.events if event.type == "utterance" and event.final]
    assert learner.speech_s == pytest.approx(sum(one.end - one.start for one in ended))
    assert kept.events[0].voice == "auto"


def test_sound_without_speech_teaches_nothing():
    learner = LearningVoice(TINY)
    rtser.recognise((sound(3.0, level=1e-6), 16_000), TINY, voice=learner)
    assert learner.speech_s == 0
