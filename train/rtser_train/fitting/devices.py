"""Where networks are trained."""

from __future__ import annotations

import torch

from rtser.errors import InputError


def chosen_device(wanted: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` is cuda where there is one.

    Raises:
        InputError: cuda was asked for and is not available.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("PyTorch finds no CUDA device", "install its CUDA build, or train with --device cpu")
    return wanted
