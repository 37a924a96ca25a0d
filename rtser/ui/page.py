"""Parts of web pages about recordings: colours, tables, and a timeline that plays from where you click."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from rtser.events import UtteranceEvent
from rtser.summary import UNCERTAIN
from rtser.ui.style import clock_time, ink, percent

STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:70rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;font-variant-numeric:tabular-nums}
section>h3{margin:1rem 0 .2rem;font-size:1rem}i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem}
.soft{opacity:.75}audio{height:2rem;width:16rem}.line{position:relative;height:1.6rem;background:#8883}
.line>span{position:absolute;top:0;bottom:0;overflow:hidden;white-space:nowrap;container-type:inline-size}
.line>span>em{display:block;color:#111;font:.8rem/2rem system-ui,sans-serif;text-align:center}
@container (max-width:3.2rem){.line>span>em{display:none}}.line>.none>em{color:inherit}
.none{background:repeating-linear-gradient(135deg,#888a 0 3px,#8883 3px 7px)}
[data-sound] .line{cursor:pointer}.now{position:absolute;top:0;bottom:0;width:2px;background:#e00;display:none}
"""
SCRIPT = """
for (const call of document.querySelectorAll("[data-seconds]")) {
  const seconds = +call.dataset.seconds, now = call.querySelectorAll(".now")
  let audio = call.querySelector("audio")
  const show = () => now.forEach(one => {
    one.style.display = "block"; one.style.left = 100 * audio.currentTime / seconds + "%"
    call.querySelectorAll("[data-at]").forEach(row => row.classList.toggle("playing",
      audio.currentTime >= +row.dataset.at && audio.currentTime < +row.dataset.to))
  })
  const play = time => {
    if (!call.dataset.sound) return
    if (!audio) {
      audio = new Audio(call.dataset.sound); audio.controls = true; call.append(audio)
    }
    audio.ontimeupdate = show
    document.querySelectorAll("audio").forEach(one => one === audio || one.pause())
    audio.currentTime = time; audio.play()
  }
  if (audio) audio.ontimeupdate = show
  call.querySelectorAll("[data-timeline]").forEach(line => line.addEventListener("click", event => {
    const box = line.getBoundingClientRect()
    play(seconds * (event.clientX - box.left) / box.width)
  }))
  call.querySelectorAll("button[data-from]").forEach(one => one.onclick = () => play(+one.dataset.from))
}
"""


def whole_page(title: str, parts: Iterable[str], style: str = "", script: str = "") -> str:
    """A page that needs no other file except the sound.

    Args:
        title: title of the page.
        parts: HTML of the body.
        style: CSS that is added to the shared CSS.
        script: JavaScript that is added to the shared script.
    """
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{escaped(title)}</title>"
    body = f"{''.join(parts)}<script>{SCRIPT}{script}</script>"
    return f"<!doctype html><html lang=en><head>{head}<style>{STYLE}{style}</style></head><body>{body}</body></html>\n"


def escaped(text: str) -> str:
    """A text as HTML; bytes of a file's name that are no text are written as codes."""
    return html.escape(text.encode(errors="backslashreplace").decode(), quote=True)


def mark(label: str, labels: tuple[str, ...]) -> str:
    """A square in the colour of an emotion; hatched if there is no emotion."""
    return f"<i style='background:{ink(label, labels)}'></i>" if label in labels else "<i class=none></i>"


def named(label: str, labels: tuple[str, ...]) -> str:
    """An emotion with its colour."""
    return mark(label, labels) + escaped(label)


def distribution(speech: Mapping[str, float], labels: tuple[str, ...]) -> str:
    """A table of the seconds of speech for each emotion, in the given order."""
    total = sum(speech.values()) or 1.0
    rows = [
        f"<tr><td>{named(name, labels)}<td>{value / total:.0%}<td>{clock_time(value)}" for name, value in speech.items()
    ]
    return f"<table><tr><th>emotion<th>share of speech<th>time{''.join(rows)}</table>"


def sound_link(path: str, beside: Path) -> str:
    """The link from a page in a folder to a recording; empty if it is not available, or on another drive."""
    if not Path(path).is_file():
        return ""
    try:
        relative = os.path.relpath(path, beside.absolute()).replace(os.sep, "/")
    except ValueError:  # Windows has no way from one drive to another
        return ""
    return quote(os.fsencode(relative))


def recording_attributes(seconds: float, link: str) -> str:
    """Attributes of the element with the timelines of a recording, so that a click plays it."""
    return f" data-seconds='{seconds:.3f}'" + (f" data-sound='{escaped(link)}'" if link else "")


def timeline(utterances: Sequence[UtteranceEvent], seconds: float, labels: tuple[str, ...], names: bool = False) -> str:
    """A line for the whole recording: each utterance in its colour and, with `names`, the name of its emotion."""
    spans = "".join(_span(one, 100 / max(seconds, 0.001), labels, names) for one in utterances)
    return f"<div class=line data-timeline role=img aria-label='emotion over time'>{spans}<b class=now></b></div>"


def _span(said: UtteranceEvent, scale: float, labels: tuple[str, ...], names: bool) -> str:
    name = said.label or UNCERTAIN
    place = f"left:{said.start * scale:.3f}%;width:{(said.end - said.start) * scale:.3f}%"
    title = f"{clock_time(said.start)} {name} ({said.leaning.label} {percent(said.leaning.confidence)})"
    kind, fill = ("", f";background:{ink(said.label, labels)}") if said.label else (" class=none", "")
    text = f"<em>{escaped(name)}</em>" if names else ""
    return f"<span{kind} style='{place}{fill}' title='{escaped(title)}'>{text}</span>"
