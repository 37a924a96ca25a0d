"""Whether sound that was said to have no header begins with one."""

from __future__ import annotations

from io import BytesIO

import soundfile

from rtser.audio.libsndfile import RAW
from rtser.engine.contract import Float32
from rtser.settings import RawSettings

HEADERS = {b"RIFF": "WAV", b"fLaC": "FLAC", b"OggS": "Ogg", b"ID3": "MP3"}
"""The first bytes of files with a header, and the formats that begin so."""
LONGEST = 4


def header_of(block: Float32, raw: RawSettings) -> str:
    """The format whose header begins these decoded samples (n, channels); empty if there is none.

    A pipe can be read only once, so the samples are encoded again. Samples of 32 bits lose bits when they are decoded:
    of those, no header is found.
    """
    subtype, endian = RAW[raw.format]
    first = BytesIO()
    soundfile.write(first, block[:LONGEST], raw.rate, subtype, endian, format="RAW")
    begin = first.getvalue()[:LONGEST]
    return next((kind for mark, kind in HEADERS.items() if begin.startswith(mark)), "")
