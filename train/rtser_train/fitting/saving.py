"""Saving states of torch."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from rtser_train.files import replacing


def save(state: dict[str, Any], path: Path) -> None:
    """Write a state as ``torch.save`` does; a kill leaves the old file or the new one.

    The bytes are made in memory and then written, because the error of ``torch.save`` does not name a full disk.

    Raises:
        OutputError: the file cannot be written.
    """
    content = BytesIO()
    torch.save(state, content)
    with replacing(path) as part:
        part.write_bytes(content.getbuffer())
