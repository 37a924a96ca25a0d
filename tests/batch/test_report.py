"""The report of a batch: the clearest moments, and names that are no HTML."""

from __future__ import annotations

from rtser.batch.report import Overview, page


def utterance(start, label, confidence=0.5):
    leaning = {"label": label or "sad", "confidence": confidence}
    emotions = {"angry": 0.2, "neutral": 0.3, "sad": 0.5}
    about = {"label": label, "confidence": confidence if label else None, "leaning": leaning, "emotions": emotions}
    return {"type": "utterance", "start": start, "end": start + 1.0, "final": True, **about}


def entry(*events, path="a.wav", channel=None, problem=""):
    return {"path": path, "channel": channel, "duration": 60.0, "problem": problem, "events": list(events)}


def test_the_clearest_moments_come_first_and_leave_neutral_out():
    events = utterance(0, "sad", 0.6), utterance(2, "angry", 0.9), utterance(4, "neutral", 0.99), utterance(6, None)
    found = Overview()
    found.add(entry(*events))
    assert [event["label"] for _, event in found.moments] == ["angry", "sad"]


def test_names_are_shown_as_text(tmp_path):
    made = page([entry(utterance(0, "sad"), path="<script>x.wav", problem="<b>no</b>")], tmp_path)
    assert "<script>x" not in made
    assert "<b>" not in made
    assert "&lt;script&gt;x.wav" in made


def test_channels_are_told_apart(tmp_path):
    made = page([entry(path="/x/a/b.wav", channel=1), entry(path="/x/c.wav")], tmp_path)
    assert "2 recordings, 2.0 minutes, 0 with a problem. Each channel counts as a recording of its own." in made
    assert ">a/b.wav, channel 1 <" in made
    assert ">c.wav <" in made
