"""A batch as one web page: emotion over time for each recording, distribution, turning points, the clearest moments."""

from __future__ import annotations

import html
import itertools
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtser.audio.opening import URL
from rtser.ui.style import clock_time, colour, percent

MOST_RECORDINGS = 300
"""Recordings that are drawn: those with the most turning points; the others are counted only."""
MOST_MOMENTS = 30
CLOSE_S = 30.0
"""Two utterances further apart are no turning point."""
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

    path: str
    channel: int | None
    time: float
    before: str
    after: str


def turns(entry: dict[str, Any]) -> list[Turn]:
    """The turning points of one channel."""
    named = [event for event in entry["events"] if event["type"] == "utterance" and event["label"]]
    return [
        Turn(entry["path"], entry["channel"], after["start"], before["label"], after["label"])
        for before, after in itertools.pairwise(named)
        if before["label"] != after["label"] and after["start"] - before["end"] <= CLOSE_S
    ]


def moments(entries: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The utterances whose emotion, neutral apart, is clearest, each with its entry; the clearest first."""
    found = [
        (entry, event)
        for entry in entries
        for event in entry["events"]
        if event["type"] == "utterance" and event["label"] and event["label"] not in QUIET
    ]
    return sorted(found, key=lambda pair: -pair[1]["confidence"])[:MOST_MOMENTS]


def page(entries: Sequence[dict[str, Any]], beside: Path) -> str:
    """The page, as HTML that needs nothing else but the sound.

    Args:
        entries: of `rtser.batch.archive.Archive.all_entries`.
        beside: folder in which the page will lie; the sound is linked from there.
    """
    labels = tuple(sorted({name for entry in entries for event in entry["events"] for name in event["emotions"] or ()}))
    of_entry = {id(entry): turns(entry) for entry in entries}
    drawn = sorted(entries, key=lambda entry: -len(of_entry[id(entry)]))[:MOST_RECORDINGS]
    shown = {id(entry) for entry in drawn}
    problems = [entry for entry in entries if entry["problem"]]
    hours = sum(entry["duration"] for entry in entries) / 3600
    parts = [
        "<h1>Emotion in speech</h1>",
        f"<p>{len(entries)} recordings (each channel that was recognised on its own is one), {hours:.2f} hours, "
        f"{len(problems)} with a problem.</p>",
        "<h2>Distribution</h2>",
        _distribution(entries, labels),
        "<h2>The clearest moments</h2>",
        _moments(entries, labels, beside),
        "<h2>Turning points</h2>",
        _turns([turn for found in of_entry.values() for turn in found], labels),
        "<h2>Recordings</h2>",
        *(_recording(entry, labels) for entry in entries if id(entry) in shown),
    ]
    if len(entries) > len(drawn):
        parts.append(f"<p class=soft>{len(entries) - len(drawn)} further recordings have fewer turning points.</p>")
    if problems:
        rows = "".join(f"<li>{_text(entry['problem'])}" for entry in problems)
        parts += ["<h2>Problems</h2>", f"<ul>{rows}</ul>"]
    parts.append("<p class=soft>An emotion named is a likeness in sound, not what a person feels.</p>")
    head = "<meta charset=utf-8><meta name=viewport content='width=device-width'><title>rtser report</title>"
    head += f"<style>{STYLE}</style>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _distribution(entries: Sequence[dict[str, Any]], labels: tuple[str, ...]) -> str:
    """Seconds of speech by emotion."""
    seconds: Counter[str] = Counter()
    for entry in entries:
        for event in entry["events"]:
            if event["type"] == "utterance":
                seconds[event["label"] or "uncertain"] += event["end"] - event["start"]
    total = sum(seconds.values()) or 1.0
    rows = [
        f"<tr><td>{_mark(name, labels)}{_text(name)}<td>{percent(value / total)}<td>{clock_time(value)}"
        for name, value in seconds.most_common()
    ]
    return f"<table><tr><th>emotion<th>share of speech<th>time{''.join(rows)}</table>"


def _moments(entries: Sequence[dict[str, Any]], labels: tuple[str, ...], beside: Path) -> str:
    rows = []
    for entry, event in moments(entries):
        sound = _sound(entry["path"], event, beside)
        where = (
            f"{_text(_short(entry))}<td>{clock_time(event['start'])}<td>{_mark(event['label'], labels)}{event['label']}"
        )
        rows.append(f"<tr><td>{where}<td>{percent(event['confidence'])}<td>{sound}")
    return f"<table><tr><th>recording<th>at<th>emotion<th>probability<th>{''.join(rows)}</table>"


def _turns(found: Sequence[Turn], labels: tuple[str, ...]) -> str:
    kinds = Counter((turn.before, turn.after) for turn in found)
    rows = [
        f"<tr><td>{_mark(before, labels)}{_text(before)}<td>{_mark(after, labels)}{_text(after)}<td>{count}"
        for (before, after), count in kinds.most_common(20)
    ]
    return f"<table><tr><th>from<th>to<th>times{''.join(rows)}</table>" if rows else "<p>None.</p>"


def _recording(entry: dict[str, Any], labels: tuple[str, ...]) -> str:
    """A strip of the recording: each utterance in its colour."""
    utterances = [event for event in entry["events"] if event["type"] == "utterance"]
    bars = "".join(_bar(event, 100 / max(entry["duration"], 0.001), labels) for event in utterances)
    strip = f"<svg viewBox='0 0 100 10' preserveAspectRatio=none role=img aria-label='emotion over time'>{bars}</svg>"
    title = f"{_text(_short(entry))} <span class=soft>{clock_time(entry['duration'])}</span>"
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
    link = os.path.relpath(path, beside).replace(os.sep, "/")
    return f"<audio controls preload=none src='{_text(link)}#t={event['start']:.2f},{event['end']:.2f}'></audio>"


def _short(entry: dict[str, Any]) -> str:
    channel = "" if entry["channel"] is None else f", channel {entry['channel']}"
    return "/".join(entry["path"].split("/")[-2:]) + channel


def _mark(label: str, labels: tuple[str, ...]) -> str:
    return f"<i style='background:{colour(label if label in labels else None, labels)}'></i>"


def _text(text: str) -> str:
    return html.escape(text, quote=True)
