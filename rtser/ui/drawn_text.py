"""Names of files and emotions as Matplotlib can draw them."""

from __future__ import annotations

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.legend import Legend


def drawable(text: str) -> str:
    """A text with "?" for each character that the font lacks; bytes of a file's name that are no text become codes."""
    font = get_font(findfont(FontProperties()))
    known = text.encode(errors="backslashreplace").decode()
    return "".join(one if font.get_char_index(ord(one)) else "?" for one in known)


def plain_legend(legend: Legend) -> None:
    """Draw the names of a legend as they are; Matplotlib would read formulas between dollar signs."""
    for text in legend.get_texts():
        text.set_parse_math(False)
