from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, rtser
from made import decided, ended, spoken, started
from matplotlib.figure import Figure

from rtser.engine.contract import segment_count
from rtser.errors import InputError, ModelError, OutputError
from rtser.models.raw import raw_outputs
from rtser.ui.decision_panel import draw_decision
from rtser.ui.drawn_text import drawable
from rtser.ui.picture import Picture
from rtser.ui.plot import draw, recognise_whole, save, window_attention
from rtser.ui.track import Track, averaged

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


def a_track(*events, labels=("angry", "sad")):
    track = Track(labels, threshold=0.4)
    for event in events:
        track.write(event)
    return track


def test_a_figure_has_every_segment_under_the_waveform_it_was_heard_in(model, voice):
    heard = recognise_whole(model, voice[32_000 : 6 * 16_000])
    assert len(heard.outputs) == len(heard.attention) == segment_count(4 * 16_000)
    posteriors, *others = draw(heard, a_track(labels=model.labels), "four seconds", begin=2.0).axes
    assert len(posteriors.lines) == len(model.labels)
    assert {axes.get_xlim() for axes in (posteriors, *others)} == {(2.0, 6.0)}


def test_the_decision_has_its_named_utterances_and_the_emotion_that_is_named_at_each_moment():
    likely = {"angry": 0.6, "sad": 0.4}
    named = [decided(2.0 + 0.06 * hop, likely, "angry" if hop >= 10 else None) for hop in range(20)]
    said = [spoken(2.0, 3.2, "angry", likely), spoken(4.0, 5.0, None, {"angry": 0.35, "sad": 0.3})]
    track = a_track(started(), *named, *said, ended(6.0))
    assert [(one.label, one.start, one.end) for one in track.stretches()] == [
        ("angry", pytest.approx(2.54), pytest.approx(3.14))
    ]
    axes = Figure().subplots()
    draw_decision(axes, track, 0.0, 6.0)
    assert [text.get_text() for text in axes.texts] == ["angry 60%", "uncertain 35%"]
    thick = max(axes.lines, key=lambda line: line.get_linewidth())
    assert thick.get_xdata() == pytest.approx([2.0 + 0.06 * hop for hop in range(10, 20)])
    assert thick.get_ydata() == pytest.approx([0.6] * 10)


def test_a_long_recording_is_drawn_as_areas():
    track = a_track(*(decided(0.06 * hop, {"angry": 0.6, "sad": 0.4}, "angry") for hop in range(4000)))
    axes = Figure().subplots()
    draw_decision(axes, track, 0.0, 240.0)
    assert len(axes.lines) == 0
    assert [area.get_label() for area in axes.collections] == ["angry", "sad"]


def test_a_track_that_is_long_is_averaged_and_keeps_its_breaks():
    values = np.array([1, 3, np.nan, np.nan, 5, np.nan, 2], np.float32)
    assert averaged(values, 4) == pytest.approx([2, np.nan, 5, 2], nan_ok=True)
    assert averaged(values, 7) is values


@pytest.mark.parametrize("seconds", [0.3, 121])
def test_what_is_too_short_or_too_long_to_see_is_refused(model, seconds):
    with pytest.raises(InputError, match="cannot be plotted"):
        recognise_whole(model, np.zeros(round(seconds * 16_000), np.float32))


STRANGE = "开心😀\n", r"$\nothing$"
"""Names with characters that the font lacks, and with what Matplotlib would take for a formula."""


def test_names_that_the_font_lacks_or_that_look_like_formulas_are_drawn_without_a_warning(model, voice, tmp_path):
    likely = dict(zip(STRANGE, (0.6, 0.4), strict=True))
    events = started("会议.wav"), *(decided(0.06 * hop, likely, STRANGE[0]) for hop in range(20))
    said = spoken(0.0, 1.0, STRANGE[0], likely), spoken(1.0, 2.0, STRANGE[1], likely)
    picture = Picture(STRANGE, threshold=0.4)
    for event in (*events, *said, ended(2.0)):
        picture.write(event)
    assert picture.png()[:4] == b"\x89PNG"
    heard = recognise_whole(model, voice[:32_000])._replace(labels=STRANGE)
    save(draw(heard, a_track(*events, *said, ended(2.0), labels=STRANGE), "会议.wav by 模型"), tmp_path / "x.png")
    assert drawable(r"Aé会$\x$") == r"Aé?$\x$"


def test_a_picture_of_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="name a"):
        save(Figure(), tmp_path / "x.bmpx")


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    def full(path, _):
        path.write_text("half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "x.png").write_text("old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        save(Figure(), tmp_path / "x.png")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    assert (tmp_path / "x.png").read_text() == "old"


def test_the_command_draws_a_part_of_a_recording(tmp_path):
    done = rtser("plot", DEMO, "--start", 2, "--end", 6, "-o", tmp_path / "new" / "x.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new" / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", 30], "--start 30: the recording ends at 22.4 s"),
        (["--start", 10, "--end", 5], "--end 5 is not after --start 10"),
        (["-o", "x.html", "--end", 3], "are for pictures"),
        (["--set", "outputs.csv=x"], "this setting is for rtser listen"),
        (["-o", DEMO], "would overwrite a file that this command reads"),
    ],
)
def test_a_plot_that_cannot_be_is_refused_in_a_sentence(arguments, words, tmp_path):
    done = rtser("plot", DEMO, "-o", tmp_path / "x.png", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
