"""One recording as a web page: a click plays it from there, and the pointer shows the decision at each moment."""

from __future__ import annotations

import json

import numpy as np

from rtser.engine.contract import HOP_S, Float32
from rtser.summary import UNCERTAIN, Summary, summarise
from rtser.ui.page import distribution, escaped, mark, named, recording_attributes, timeline, whole_page
from rtser.ui.style import clock_time, ink, percent, tick_step
from rtser.ui.track import Track, averaged

MOST_POINTS = 6000
"""Most points of a line; for longer recordings the decisions are averaged."""
MOST_TICKS = 12
ZOOM_S = 20.0
"""Seconds that the narrowest view shows."""
STYLE = """
.scroll{overflow-x:auto}.wide{position:relative;width:100%}.names .line{height:2rem}
.steady{height:.5rem!important;margin:.2rem 0}.curves{cursor:crosshair}
.curves svg{display:block;width:100%;height:14rem;background:#8881}
polyline{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}
.curves{position:relative}.curves>small{position:absolute;left:.2rem;opacity:.6;pointer-events:none}
.curves line{stroke:#8886;vector-effect:non-scaling-stroke}.curves .threshold{stroke:#888;stroke-dasharray:5 4}
.ticks{position:relative;height:1.5rem;font-size:.8rem}.ticks span{position:absolute;border-left:1px solid #888;
padding-left:.2rem}output{display:block;min-height:1.6rem;font-variant-numeric:tabular-nums}
output>span,.legend>span{margin-right:1rem;white-space:nowrap}.sound audio{width:100%}tr.playing{background:#e002}
button{font:inherit}.columns{display:flex;flex-wrap:wrap;gap:3rem}input[type=range]{width:14rem;vertical-align:middle}
"""
SCRIPT = """
const data = JSON.parse(document.querySelector("#data").textContent), wide = document.querySelector(".wide")
const told = document.querySelector("output"), zoom = document.querySelector("#zoom")
const clock = s => Math.floor(s / 60) + ":" + (s % 60).toFixed(1).padStart(4, "0")
document.querySelector(".curves").addEventListener("mousemove", event => {
  const box = event.currentTarget.getBoundingClientRect(), time = data.seconds * (event.clientX - box.left) / box.width
  const values = data.values[Math.round((time - data.first) / data.step)]
  const at = document.createElement("span"); at.textContent = clock(time)
  const heard = (values || []).map((value, i) => [value, i]).filter(one => one[0] !== null).sort((a, b) => b[0] - a[0])
  told.replaceChildren(at, ...heard.map(([value, i]) => {
    const one = document.createElement("span"), square = document.createElement("i")
    square.style.background = data.colours[i]; one.append(square, data.labels[i] + " " + value + "%"); return one
  }))
  if (!heard.length) told.append("no decision")
})
zoom.oninput = () => {
  const scroll = wide.parentElement, middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth
  wide.style.width = 100 * zoom.value + "%"
  scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2
}
"""


def call_page(track: Track, link: str, model: str) -> str:
    """The page of one recording, as HTML that needs no other file except the sound.

    Args:
        track: the decisions.
        link: link from the page to the recording; empty if it cannot be played.
        model: name of the model.
    """
    figures, labels = summarise(track.seconds, track.utterances), track.labels
    sound = f"<p class=sound><audio controls preload=metadata src='{escaped(link)}'></audio>" if link else ""
    legend = "".join(f"<span>{named(label, labels)}</span>" for label in labels)
    most = max(1.0, track.seconds / ZOOM_S)
    parts = [
        f"<h1>{escaped(track.source.rpartition('/')[2])}</h1>",
        f"<p>{clock_time(track.seconds)}, with {clock_time(figures.speech_s)} of speech in {figures.utterances} "
        f"utterances. Model: {escaped(model)}.</p>",
        f"<section{recording_attributes(track.seconds, link)}>{sound}",
        f"<p class=legend>{legend}</p><p><label>zoom <input id=zoom type=range min=1 max={most:.1f} step=0.1 value=1>"
        "</label> <span class=soft>A click plays from there.</span></p>",
        f"<div class=scroll><div class=wide><div class=names>{timeline(track.utterances, track.seconds, labels, True)}",
        f"</div>{_steady(track)}{_curves(track)}{_ticks(track.seconds)}<b class=now></b></div></div><output></output>",
        "<p class=soft>From top to bottom: the utterances; the emotion named at each moment; the probability of each "
        f"emotion over the window, 0 to 100%. Dashed: the threshold, {percent(track.threshold)}.</p>",
        f"<div class=columns><div><h2>Utterances</h2>{_utterances(track)}</div>",
        f"<div><h2>Distribution</h2>{distribution(figures.speech, labels)}",
        f"<h2>Turning points</h2>{_turns(figures, labels)}</div></div></section>",
        "<p class=soft>A named emotion says what the speech sounds like, not what the person feels.</p>",
        f"<script id=data type=application/json>{_data(track)}</script>",
    ]
    return whole_page(track.source.rpartition("/")[2], parts, STYLE, SCRIPT)


def _steady(track: Track) -> str:
    """The label at each moment, as a thin line."""
    scale = 100 / max(track.seconds, 0.001)
    spans = "".join(
        f"<span style='left:{one.start * scale:.3f}%;width:{(one.end - one.start) * scale:.3f}%;"
        f"background:{ink(one.label, track.labels)}' title='{clock_time(one.start)} {escaped(one.label)}'></span>"
        for one in track.stretches()
    )
    return f"<div class='line steady' data-timeline>{spans}</div>"


def _points(track: Track) -> tuple[Float32, Float32]:
    """The points of the lines: times (N,) in seconds, equally spaced, and probabilities (N, K)."""
    return averaged(track.times.astype(np.float32), MOST_POINTS), averaged(track.emotions, MOST_POINTS)


def _curves(track: Track) -> str:
    """The probability of each emotion over time."""
    times, emotions = _points(track)
    lines = [f"<line x1=0 x2={track.seconds:.3f} y1={y} y2={y} />" for y in (0.25, 0.5, 0.75)]
    above = 1 - track.threshold
    lines.append(f"<line class=threshold x1=0 x2={track.seconds:.3f} y1={above:.3f} y2={above:.3f} />")
    for column, label in enumerate(track.labels):
        shade = ink(label, track.labels)
        for part in _unbroken(emotions[:, column]):
            points = " ".join(f"{times[at]:.2f},{1 - emotions[at, column]:.3f}" for at in part)
            lines.append(f"<polyline points='{points}' stroke='{shade}' />")
    box = f"viewBox='0 0 {max(track.seconds, 0.001):.3f} 1' preserveAspectRatio=none"
    scale = "".join(f"<small style='top:{100 - one}%'>{one}%</small>" for one in (75, 50, 25))
    drawn = f"<svg {box} role=img aria-label=probabilities>{''.join(lines)}</svg>"
    return f"<div class=curves data-timeline>{scale}{drawn}</div>"


def _unbroken(values: Float32) -> list[range]:
    """The ranges in which values (N,) are known without a break."""
    known = np.concatenate([[False], ~np.isnan(values), [False]])
    edges = np.flatnonzero(np.diff(known.astype(np.int8)))
    return [range(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _ticks(seconds: float) -> str:
    step = tick_step(seconds, MOST_TICKS)
    marks = [
        f"<span style='left:{100 * at / max(seconds, 0.001):.3f}%'>{clock_time(at).removesuffix('.0')}</span>"
        for at in range(0, int(seconds) + 1, step)
        if at < 0.97 * seconds
    ]
    return f"<div class=ticks>{''.join(marks)}</div>"


def _utterances(track: Track) -> str:
    rows = []
    for one in track.utterances:
        emotion = named(one.label, track.labels) if one.label else mark("", track.labels) + UNCERTAIN
        likeliest = f"{escaped(one.leaning.label)} {percent(one.leaning.confidence)}"
        play = f"<button data-from={one.start:.3f}>{clock_time(one.start)} - {clock_time(one.end)}</button>"
        rows.append(f"<tr data-at={one.start:.3f} data-to={one.end:.3f}><td>{play}<td>{emotion}<td>{likeliest}")
    return f"<table><tr><th>from, to<th>emotion<th>likeliest{''.join(rows)}</table>" if rows else "<p>None.</p>"


def _turns(figures: Summary, labels: tuple[str, ...]) -> str:
    rows = [
        f"<tr><td><button data-from={one.time:.3f}>{clock_time(one.time)}</button>"
        f"<td>{named(one.before, labels)}<td>{named(one.after, labels)}"
        for one in figures.turns
    ]
    return f"<table><tr><th>at<th>from<th>to{''.join(rows)}</table>" if rows else "<p>None.</p>"


def _data(track: Track) -> str:
    """The data that the page shows for the pointer's position: whole percentages, null without a decision."""
    times, emotions = _points(track)
    content = {
        "seconds": track.seconds,
        "first": float(times[0]) if len(times) else 0.0,
        "step": float(times[1] - times[0]) if len(times) > 1 else HOP_S,
        "labels": track.labels,
        "colours": [ink(label, track.labels) for label in track.labels],
        "values": [[None if np.isnan(one) else int(100 * one + 1e-6) for one in row] for row in emotions],
    }
    return json.dumps(content).replace("<", "\\u003c")
