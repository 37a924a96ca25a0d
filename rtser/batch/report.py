"""A batch as one web page: emotion over time for each recording, distribution, turning points, the clearest moments."""

from __future__ import annotations

import heapq
import html
import itertools
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rtser.audio.opening import URL
from rtser.ui.style import clock_time, colour, percent
from rtser.ui.summary import CLOSE_S

MOST_RECORDINGS = 300
"""Recordings that are drawn: those with the most turning points; the others are counted only."""
MOST_MOMENTS = 30
MOST_PROBLEMS = 100
QUIET = ("neutral", "calm")
STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:70rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;font-variant-numeric:tabular-nums}
svg{width:100%;height:1.6rem;background:#8883;display:block}section>h3{margin:1rem 0 .2rem;font-size:1rem}
i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem}.soft{opacity:.75}audio{height:2rem;width:16rem}
"""


@dataclass(frozen=True)
class Turn:
    """From one named emotion to another one, in utterances that follow each other."""

    time: float
    before: str
    after: str


def turns(entry: dict[str, Any]) -> list[Turn]:
    """The turning points of one channel."""
    named = [event for event in entry["events"] if event["type"] == "utterance" and event["label"]]
    return [
        Turn(after["start"], before["label"], after["label"])
        for before, after in itertools.pairwise(named)
        if before["label"] != after["label"] and after["start"] - before["end"] <= CLOSE_S
    ]


class Summary:
    """What the page tells, gathered entry by entry; its size does not grow with the archive."""

    def __init__(self) -> None:
        self.count, self.seconds, self.problems = 0, 0.0, 0
        self.root: str | None = None
        self.speech: Counter[str] = Counter()
        self.turns: Counter[tuple[str, str]] = Counter()
        self.some_problems: list[str] = []
        self.labels: set[str] = set()
        self._moments: list[tuple[float, int, dict[str, Any], dict[str, Any]]] = []
        self._strips: list[tuple[int, int, dict[str, Any]]] = []

    def add(self, entry: dict[str, Any]) -> None:
        """Take the results of one recording, or of one of its channels."""
        self.count += 1
        folder = entry["path"].rpartition("/")[0] + "/"
        both = [folder if self.root is None else self.root, folder]
        self.root = os.path.commonprefix(both).rpartition("/")[0] + "/"  # noqa: RUF071  # URLs too
        self.seconds += entry["duration"]
        if entry["problem"]:
            self.problems += 1
            if len(self.some_problems) < MOST_PROBLEMS:
                self.some_problems.append(entry["problem"])
        found = turns(entry)
        self.turns.update((turn.before, turn.after) for turn in found)
        _keep(self._strips, (len(found), -self.count, entry), MOST_RECORDINGS)
        for number, event in enumerate(one for one in entry["events"] if one["type"] == "utterance"):
            self.labels.update(event["emotions"])
            self.speech[event["label"] or "uncertain"] += event["end"] - event["start"]
            if event["label"] and event["label"] not in QUIET:
                order = -(10_000 * self.count + number)
                _keep(self._moments, (event["confidence"], order, entry, event), MOST_MOMENTS)

    @property
    def moments(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The utterances whose emotion, neutral apart, is clearest, each with its entry; the clearest first."""
        return [(entry, event) for _, _, entry, event in sorted(self._moments, key=lambda one: one[:2], reverse=True)]

    @property
    def recordings(self) -> list[dict[str, Any]]:
        """Those with the most turning points, by their names."""
        return sorted((one[-1] for one in self._strips), key=lambda entry: (entry["path"], entry["channel"] or 0))


def _keep(heap: list[Any], item: tuple[Any, ...], most: int) -> None:
    """Keep an item if it is among the largest."""
    if len(heap) < most:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)


def page(entries: Iterable[dict[str, Any]], beside: Path) -> str:
    """The page, as HTML that needs nothing else but the sound.

    Args:
        entries: of `rtser.batch.archive.all_entries`.
        beside: folder in which the page will lie; the sound is linked from there.
    """
    found = Summary()
    for entry in entries:
        found.add(entry)
    labels, recordings = tuple(sorted(found.labels)), found.recordings
    parts = [
        "<h1>Emotion in speech</h1>",
        f"<p>{found.count} recordings (each channel that was recognised on its own is one), "
        f"{found.seconds / 3600:.2f} hours, {found.problems} with a problem.</p>",
        "<h2>Distribution</h2>",
        _distribution(found.speech, labels),
        "<h2>The clearest moments</h2>",
        _moments(found, labels, beside),
        "<h2>Turning points</h2>",
        "<p class=soft>From one named emotion to the next one. What is uncertain in between is passed over.</p>",
        _turns(found.turns, labels),
        "<h2>Recordings</h2>",
        f"<p class=soft>{_text(found.root or '')}</p>",
        *(_recording(entry, labels, found.root or "") for entry in recordings),
    ]
    if found.count > len(recordings):
        parts.append(f"<p class=soft>{found.count - len(recordings)} further recordings have fewer turning points.</p>")
    if found.problems:
        rows = "".join(f"<li>{_text(problem)}" for problem in found.some_problems)
        parts += [f"<h2>Problems</h2><p>{found.problems}; the first of them:</p>", f"<ul>{rows}</ul>"]
    parts.append("<p class=soft>An emotion named is a likeness in sound, not what a person feels.</p>")
    head = "<meta charset=utf-8><meta name=viewport content='width=device-width'><title>rtser report</title>"
    head += f"<style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _distribution(speech: Counter[str], labels: tuple[str, ...]) -> str:
    """Seconds of speech by emotion."""
    total = sum(speech.values()) or 1.0
    rows = [
        f"<tr><td>{_mark(name, labels)}{_text(name)}<td>{percent(value / total)}<td>{clock_time(value)}"
        for name, value in speech.most_common()
    ]
    return f"<table><tr><th>emotion<th>share of speech<th>time{''.join(rows)}</table>"


def _moments(found: Summary, labels: tuple[str, ...], beside: Path) -> str:
    rows = []
    for entry, event in found.moments:
        sound = _sound(entry["path"], event, beside)
        emotion = _mark(event["label"], labels) + _text(event["label"])
        where = f"{_text(_short(entry, found.root or ''))}<td>{clock_time(event['start'])}"
        rows.append(f"<tr><td>{where}<td>{emotion}<td>{percent(event['confidence'])}<td>{sound}")
    return f"<table><tr><th>recording<th>at<th>emotion<th>probability<th>{''.join(rows)}</table>"


def _turns(kinds: Counter[tuple[str, str]], labels: tuple[str, ...]) -> str:
    rows = [
        f"<tr><td>{_mark(before, labels)}{_text(before)}<td>{_mark(after, labels)}{_text(after)}<td>{count}"
        for (before, after), count in kinds.most_common(20)
    ]
    return f"<table><tr><th>from<th>to<th>times{''.join(rows)}</table>" if rows else "<p>None.</p>"


def _recording(entry: dict[str, Any], labels: tuple[str, ...], root: str) -> str:
    """A strip of the recording: each utterance in its colour."""
    utterances = [event for event in entry["events"] if event["type"] == "utterance"]
    bars = "".join(_bar(event, 100 / max(entry["duration"], 0.001), labels) for event in utterances)
    strip = f"<svg viewBox='0 0 100 10' preserveAspectRatio=none role=img aria-label='emotion over time'>{bars}</svg>"
    title = f"{_text(_short(entry, root))} <span class=soft>{clock_time(entry['duration'])}</span>"
    return f"<section><h3>{title}</h3>{strip}</section>"


def _bar(event: dict[str, Any], scale: float, labels: tuple[str, ...]) -> str:
    """An utterance in a strip."""
    begin, wide = event["start"] * scale, (event["end"] - event["start"]) * scale
    look = f"fill='{colour(event['label'], labels)}' opacity='{1 if event['label'] else 0.4}'"
    title = f"{clock_time(event['start'])} {_text(event['label'] or 'uncertain')}"
    return f"<rect x='{begin:.3f}' width='{wide:.3f}' y=0 height=10 {look}><title>{title}</title></rect>"


def _sound(path: str, event: dict[str, Any], beside: Path) -> str:
    """A player of a moment, where the recording is at hand."""
    if URL in path or not Path(path).exists():
        return ""
    link = quote(os.path.relpath(path, beside.absolute()).replace(os.sep, "/"))
    return f"<audio controls preload=none src='{_text(link)}#t={event['start']:.2f},{event['end']:.2f}'></audio>"


def _short(entry: dict[str, Any], root: str) -> str:
    """The name of a recording without the folder that all have in common."""
    channel = "" if entry["channel"] is None else f", channel {entry['channel']}"
    return str(entry["path"]).removeprefix(root) + channel


def _mark(label: str, labels: tuple[str, ...]) -> str:
    return f"<i style='background:{colour(label if label in labels else None, labels)}'></i>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)
