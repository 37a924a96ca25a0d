from __future__ import annotations

import numpy as np
import pytest
from conftest import ROOT, rtser

from rtser.engine.contract import segment_count
from rtser.errors import InputError, ModelError
from rtser.models.raw import raw_outputs
from rtser.ui.plot import draw, recognise_whole, save, window_attention

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


def test_the_attention_of_a_window_adds_up_to_one_and_its_last_share_is_the_salience(model, voice):
    outputs = raw_outputs(model, voice[: 5 * 16_000], window=45)
    attention = window_attention(outputs.state)
    assert attention.shape == (45,)
    assert attention.sum() == pytest.approx(1, abs=1e-5)
    assert attention[-1] == pytest.approx(outputs.salience[-1], abs=1e-6)


def test_nothing_heard_has_no_attention(model):
    assert not window_attention(raw_outputs(model, np.zeros(0, np.float32), window=5).state).any()


def test_a_model_that_keeps_its_attention_to_itself_is_named():
    with pytest.raises(ModelError, match="no attention weights"):
        window_attention({"state_sum": np.zeros((1, 1), np.float32)})


def test_a_figure_has_every_segment_under_the_waveform_it_was_heard_in(model, voice):
    heard = recognise_whole(model, voice[: 4 * 16_000])
    assert len(heard.outputs) == len(heard.attention) == segment_count(4 * 16_000)
    posteriors, waveform, mel, attention, decision = draw(heard, "four seconds").axes
    assert len(posteriors.lines) == len(decision.lines) == len(model.labels)
    assert waveform.get_xlim() == mel.get_xlim() == attention.get_xlim() == (0.0, 4.0)


@pytest.mark.parametrize("seconds", [0.3, 121])
def test_what_is_too_short_or_too_long_to_see_is_refused(model, seconds):
    with pytest.raises(InputError, match="cannot be plotted"):
        recognise_whole(model, np.zeros(round(seconds * 16_000), np.float32))


def test_a_picture_of_an_unknown_kind_is_refused(model, voice, tmp_path):
    with pytest.raises(InputError, match="name a"):
        save(draw(recognise_whole(model, voice[:16_000]), ""), tmp_path / "x.bmpx")


def test_the_command_draws_a_part_of_a_recording(tmp_path):
    done = rtser("plot", DEMO, "--start", 2, "--end", 6, "-o", tmp_path / "new" / "x.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--start", 30], "cannot be plotted"), (["-o", DEMO], "would overwrite what is to be read")],
)
def test_a_plot_that_cannot_be_is_refused_in_a_sentence(arguments, words, tmp_path):
    done = rtser("plot", DEMO, "-o", tmp_path / "x.png", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
