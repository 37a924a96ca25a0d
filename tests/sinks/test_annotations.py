"""Utterances in the files of other programs, read back by those programs' own readers."""

from __future__ import annotations

import pytest
from made import decided, ended, spoken, started

from rtser.errors import OutputError
from rtser.sinks.annotation import write_annotation
from rtser.sinks.audacity import write_labels
from rtser.sinks.captions import write_captions
from rtser.sinks.textgrid import write_textgrid

EMOTIONS = {'joy & "<pride>"': 0.375, "sad": 0.625}
SURE = spoken(1.0, 2.095, "sad", EMOTIONS)
UNSURE = spoken(3661.5, 3663.0, None, {"sad": 0.3, 'joy & "<pride>"': 0.375})


def written(path, write, *events):
    write_annotation(path, write, events)
    return path


def intervals(path):
    """Each tier's intervals, as Praat reads them."""
    parselmouth = pytest.importorskip("parselmouth")
    grid, call = parselmouth.read(str(path)), parselmouth.praat.call
    asked = ("Get start time of interval", "Get end time of interval", "Get label of interval")
    tiers = {}
    for tier in range(1, call(grid, "Get number of tiers") + 1):
        count = call(grid, "Get number of intervals", tier)
        rows = [tuple(call(grid, one, tier, number) for one in asked) for number in range(1, count + 1)]
        tiers[call(grid, "Get tier name", tier)] = rows
    return tiers


def test_praat_reads_a_textgrid_whose_intervals_are_empty_where_nobody_speaks(tmp_path):
    path = written(tmp_path / "a.TextGrid", write_textgrid, started(), SURE, UNSURE, ended(3700.0))
    tiers = intervals(path)
    times = [(0, 1), (1, 2.095), (2.095, 3661.5), (3661.5, 3663), (3663, 3700)]
    labels = {
        "emotion": ["", "sad", "", "uncertain", ""],
        "likeliest": ["", "sad 0.625", "", 'joy & "<pride>" 0.375', ""],
    }
    for name, expected in labels.items():
        assert [row[2] for row in tiers[name]] == expected
        assert [row[:2] for row in tiers[name]] == [pytest.approx(pair) for pair in times]


def test_praat_reads_a_textgrid_of_silence(tmp_path):
    path = written(tmp_path / "a.TextGrid", write_textgrid, started(), ended(4.0))
    assert intervals(path)["emotion"] == [(0, 4.0, "")]


def test_ffmpeg_reads_the_captions_at_their_times(tmp_path):
    av = pytest.importorskip("av")
    path = written(tmp_path / "a.vtt", write_captions, started(), SURE, UNSURE, ended(3700.0))
    with av.open(str(path)) as captions:
        packets = [packet for packet in captions.demux(captions.streams.subtitles[0]) if packet.size]
        cues = [(float(one.pts * one.time_base), float(one.duration * one.time_base)) for one in packets]
    assert cues == [pytest.approx((1.0, 1.095)), pytest.approx((3661.5, 1.5))]
    assert "sad 62%\n" in path.read_text()
    assert 'uncertain (joy &amp; "&lt;pride&gt;" 37%)\n' in path.read_text()


def test_audacity_has_three_columns_apart_by_tabs(tmp_path):
    path = written(tmp_path / "a.txt", write_labels, started(), SURE, UNSURE, ended(3700.0))
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    expected = ["1.000000", "2.095000", "sad 62%"], ["3661.500000", "3663.000000", 'uncertain (joy & "<pride>" 37%)']
    assert rows == [*expected]


def test_reports_of_an_utterance_that_goes_on_are_left_out(tmp_path):
    interim = spoken(1.0, 1.5, "sad", EMOTIONS, final=False)
    path = written(tmp_path / "a.txt", write_labels, started(), interim, SURE, decided(2.0, EMOTIONS), ended(3.0))
    assert len(path.read_text().splitlines()) == 1


def test_a_recording_that_has_not_ended_or_has_no_decision_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    written(tmp_path / "a.txt", write_labels, started(), SURE)
    written(tmp_path / "a.txt", write_labels, started(), ended(0.1, decisions=0))
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        written(tmp_path / "file" / "a.vtt", write_captions, started(), ended(3.0))
    with pytest.raises(OutputError, match="name too long"):
        written(tmp_path / f"{'a' * 300}.vtt", write_captions, started(), ended(3.0))
