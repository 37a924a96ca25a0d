"""A report as headings, paragraphs, tables and pictures, and how these become Markdown and HTML."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from typing import NamedTuple

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
h1, h2, h3 { line-height: 1.2; margin-top: 2em; }
h1 { margin-top: 0; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25em 0.7em; border-bottom: 1px solid #d5dce3; text-align: right; }
th { background: #f2f5f8; }
th:first-child, td:first-child { text-align: left; }
pre { background: #f2f5f8; padding: 0.8em; overflow-x: auto; white-space: pre-wrap; }
img { max-width: 100%; }
.warning { border-left: 4px solid #c8453b; padding-left: 1em; }
"""


class Heading(NamedTuple):
    """A heading of level 1, 2 or 3."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """A paragraph; a warning stands out."""

    text: str
    warns: bool = False


class Code(NamedTuple):
    """A line to type."""

    text: str


class Table(NamedTuple):
    """A table: the first column is of words, the others of figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Picture(NamedTuple):
    """A picture as SVG, which only the HTML shows; `title` says what is in it."""

    title: str
    svg: bytes


Block = Heading | Paragraph | Code | Table | Picture


def as_markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown, without pictures."""
    return "\n\n".join(text for text in map(_markdown, blocks) if text) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text, warns):
            return f"**{text}**" if warns else text
        case Code(text):
            return f"```\n{text}\n```"
        case Table(head, rows):
            cells = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
            return "\n".join(f"| {' | '.join(_cell(one) for one in row)} |" for row in cells)
        case Picture():
            return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def as_html(blocks: Sequence[Block], title: str) -> str:
    """The blocks as one page that needs nothing else."""
    body = "\n".join(map(_html, blocks))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text, warns):
            return f"<p{' class=warning' if warns else ''}>{html.escape(text)}</p>"
        case Code(text):
            return f"<pre>{html.escape(text)}</pre>"
        case Table(head, rows):
            heads = "".join(f"<th>{html.escape(one)}</th>" for one in head)
            lines = ["".join(f"<td>{html.escape(one)}</td>" for one in row) for row in rows]
            return f"<table>\n<tr>{heads}</tr>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"
        case Picture(title, svg):
            data = base64.b64encode(svg).decode()
            return f'<p><img alt="{html.escape(title)}" src="data:image/svg+xml;base64,{data}"></p>'
