"""The token of a server, from a file or the environment; never from the command line, which others can read."""

from __future__ import annotations

import os
from pathlib import Path

from rtser.errors import InputError

VARIABLE = "RTSER_TOKEN"
LEAST_LENGTH = 16


def read_token(file: Path | None) -> str:
    """The token; empty if there is none.

    Args:
        file: the file that holds it; None for the environment variable.

    Raises:
        InputError: the file cannot be read, or the token is too short or not valid.
    """
    token, source = os.environ.get(VARIABLE, "").strip(), VARIABLE
    if file is None and not token:
        return ""
    if file is not None:
        try:
            token, source = file.read_text(encoding="utf-8").strip(), f"token file {file}"
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"token file {file} cannot be read ({getattr(error, 'strerror', error)})") from None
    if len(token) < LEAST_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            f"{source}: a token has at least {LEAST_LENGTH} letters, digits or signs, and no spaces",
            "make one with Python's secrets.token_urlsafe()",
        )
    return token
