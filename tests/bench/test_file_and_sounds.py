from __future__ import annotations

import numpy as np
import pytest
import soundfile
from conftest import sound

from rtser.bench.file import measure
from rtser.bench.file import sound as over_and_over
from rtser.bench.null_network import without_network
from rtser.bench.sounds import read_sound
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE
from rtser.errors import InputError
from rtser.models import load_bytes
from rtser.session import Session
from rtser.testing import tiny_model_bytes


@pytest.fixture
def folder(tmp_path):
    for number, seconds in enumerate((1.0, 1.55)):
        soundfile.write(tmp_path / f"{number}.wav", sound(seconds, seed=number), SAMPLE_RATE)
    return tmp_path


def test_a_file_is_taken_over_and_over_up_to_the_sample(folder):
    once = np.concatenate(list(over_and_over(folder / "0.wav", None)))
    joined = np.concatenate(list(over_and_over(folder / "0.wav", 2.5 / 60)))
    assert len(once) == SAMPLE_RATE
    assert len(joined) == 2.5 * SAMPLE_RATE
    assert (joined == np.resize(once, len(joined))).all()


def test_a_file_too_short_to_decide_on_is_refused(model, tmp_path):
    soundfile.write(tmp_path / "short.wav", sound(0.2), SAMPLE_RATE)
    with pytest.raises(InputError, match="too short to decide"):
        measure(Session(model), tmp_path / "short.wav", None)


def test_a_folder_becomes_whole_hops_and_what_is_no_audio_is_passed_over(folder):
    (folder / "broken.wav").write_bytes(b"no audio")
    (folder / "notes.txt").write_text("no audio either")
    name, samples = read_sound(folder)
    assert name == f"3 s of 2 files in {folder}"
    assert len(samples) == int(2.55 * SAMPLE_RATE) // HOP_SAMPLES * HOP_SAMPLES


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_audio_is_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="name a folder of audio files"):
        read_sound(tmp_path / name)


def test_without_its_network_a_model_says_what_it_said_for_any_number_of_streams():
    class Counting:
        def __init__(self, session):
            self.session, self.runs = session, 0

        def __getattr__(self, name):
            return getattr(self.session, name)

        def run(self, *arguments):
            self.runs += 1
            return self.session.run(*arguments)

    session = Counting(load_bytes(tiny_model_bytes(), provider="cpu")._session)
    hops = sound(3.0)[: 40 * HOP_SAMPLES]
    null = without_network(session, hops)
    before, state = session.runs, null.initial_state(7, 10)
    output = null.step(np.zeros((7, HOP_SAMPLES), np.float32), np.zeros(7, np.float32), state)
    assert session.runs == before
    assert output.emotions.shape == (7, 3)
    assert output.speech.shape == (7,)
    assert [one.shape for one in output.state] == [one.shape for one in state]
