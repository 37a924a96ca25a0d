"""A batch as one web page: emotion over time for each recording, distribution, turning points, the clearest moments."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rtser.batch.work import summary, utterances
from rtser.ui.page import distribution, escaped, named, recording_attributes, sound_link, timeline, whole_page
from rtser.ui.style import clock_time, percent
from rtser.words import counted

MOST_RECORDINGS = 300
"""Number of recordings that are drawn, those with the most turning points; the others are only counted."""
MOST_MOMENTS = 30
MOST_PROBLEMS = 100
QUIET = ("neutral", "calm")


class Overview:
    """The content of the page, gathered entry by entry; its size does not grow with the archive."""

    def __init__(self) -> None:
        self.count, self.seconds, self.problems, self.separate = 0, 0.0, 0, False
        self.root: str | None = None
        self.speech: Counter[str] = Counter()
        self.turns: Counter[tuple[str, str]] = Counter()
        self.some_problems: list[str] = []
        self.labels: set[str] = set()
        self._moments: list[tuple[float, int, dict[str, Any], dict[str, Any]]] = []
        self._strips: list[tuple[int, int, dict[str, Any]]] = []

    def add(self, entry: dict[str, Any]) -> None:
        """Add the results of one recording, or of one of its channels."""
        self.count += 1
        self.separate = self.separate or entry["channel"] is not None
        folder = entry["path"].rpartition("/")[0] + "/"
        both = [folder if self.root is None else self.root, folder]
        self.root = os.path.commonprefix(both).rpartition("/")[0] + "/"  # noqa: RUF071  # URLs too
        self.seconds += entry["duration"]
        if entry["problem"]:
            self.problems += 1
            if len(self.some_problems) < MOST_PROBLEMS:
                self.some_problems.append(entry["problem"])
        figures = summary(entry)
        self.speech.update(figures.speech)
        self.turns.update((turn.before, turn.after) for turn in figures.turns)
        _keep(self._strips, (len(figures.turns), -self.count, entry), MOST_RECORDINGS)
        for number, event in enumerate(one for one in entry["events"] if one["type"] == "utterance"):
            self.labels.update(event["emotions"])
            if event["label"] and event["label"] not in QUIET:
                order = -(10_000 * self.count + number)
                _keep(self._moments, (event["confidence"], order, entry, event), MOST_MOMENTS)

    @property
    def moments(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The utterances with the clearest emotion other than neutral, each with its entry; the clearest first."""
        return [(entry, event) for _, _, entry, event in sorted(self._moments, key=lambda one: one[:2], reverse=True)]

    @property
    def recordings(self) -> list[dict[str, Any]]:
        """The recordings with the most turning points, sorted by name."""
        return sorted((one[-1] for one in self._strips), key=lambda entry: (entry["path"], entry["channel"] or 0))


def _keep(heap: list[Any], item: tuple[Any, ...], most: int) -> None:
    """Keep an item if it is among the largest."""
    if len(heap) < most:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)


def page(entries: Iterable[dict[str, Any]], beside: Path) -> str:
    """The page, as HTML that needs no other file except the sound.

    Args:
        entries: from `rtser.batch.archive.all_entries`.
        beside: folder in which the page will lie; the sound is linked from there.
    """
    found = Overview()
    for entry in entries:
        found.add(entry)
    labels, recordings = tuple(sorted(found.labels)), found.recordings
    parts = [
        "<h1>Emotion in speech</h1>",
        f"<p>{counted(found.count, 'recording')}, {_length(found.seconds)}, {found.problems} with a problem."
        f"{' Each channel counts as a recording of its own.' if found.separate else ''}</p>",
        "<h2>Distribution</h2>",
        distribution(dict(found.speech.most_common()), labels),
        "<h2>The clearest moments</h2>",
        _moments(found, labels, beside),
        "<h2>Turning points</h2>",
        "<p class=soft>From one named emotion to the next. Uncertain utterances in between are ignored.</p>",
        _turns(found.turns, labels),
        "<h2>Recordings</h2>",
        f"<p class=soft>From the folder <code>{escaped(found.root or '')}</code>. "
        "Click on a line to play the recording from there.</p>",
        *(_recording(entry, labels, found.root or "", beside) for entry in recordings),
    ]
    if found.count > len(recordings):
        more = found.count - len(recordings)
        have = "has" if more == 1 else "have"
        parts.append(f"<p class=soft>{counted(more, 'further recording')} {have} fewer turning points.</p>")
    if found.problems:
        rows = "".join(f"<li>{escaped(problem)}" for problem in found.some_problems)
        parts += [f"<h2>Problems</h2><p>{found.problems}; the first of them:</p>", f"<ul>{rows}</ul>"]
    parts.append("<p class=soft>A named emotion says what the speech sounds like, not what the person feels.</p>")
    return whole_page("rtser report", parts)


def _length(seconds: float) -> str:
    """A length in words: hours from one hour on, minutes below."""
    return f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.1f} minutes"


def _moments(found: Overview, labels: tuple[str, ...], beside: Path) -> str:
    rows = []
    for entry, event in found.moments:
        sound = _sound(entry["path"], event, beside)
        emotion = named(event["label"], labels)
        where = f"{escaped(_short(entry, found.root or ''))}<td>{clock_time(event['start'])}"
        rows.append(f"<tr><td>{where}<td>{emotion}<td>{percent(event['confidence'])}<td>{sound}")
    return f"<table><tr><th>recording<th>at<th>emotion<th>probability<th>{''.join(rows)}</table>"


def _turns(kinds: Counter[tuple[str, str]], labels: tuple[str, ...]) -> str:
    rows = [
        f"<tr><td>{named(before, labels)}<td>{named(after, labels)}<td>{count}"
        for (before, after), count in kinds.most_common(20)
    ]
    return f"<table><tr><th>from<th>to<th>times{''.join(rows)}</table>" if rows else "<p>None.</p>"


def _recording(entry: dict[str, Any], labels: tuple[str, ...], root: str, beside: Path) -> str:
    """A recording over time; if it is available, a click plays it from there."""
    link = sound_link(entry["path"], beside)
    title = f"{escaped(_short(entry, root))} <span class=soft>{clock_time(entry['duration'])}</span>"
    line = timeline(utterances(entry), entry["duration"], labels)
    return f"<section{recording_attributes(entry['duration'], link)}><h3>{title}</h3>{line}</section>"


def _sound(path: str, event: dict[str, Any], beside: Path) -> str:
    """A player of a moment, if the recording is available."""
    link = sound_link(path, beside)
    span = f"#t={event['start']:.2f},{event['end']:.2f}"
    return f"<audio controls preload=none src='{escaped(link)}{span}'></audio>" if link else ""


def _short(entry: dict[str, Any], root: str) -> str:
    """The name of a recording without the folder that is common to all."""
    channel = "" if entry["channel"] is None else f", channel {entry['channel']}"
    return str(entry["path"]).removeprefix(root) + channel
