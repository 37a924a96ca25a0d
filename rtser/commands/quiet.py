"""Keep the messages of libraries off the screen. These functions change the process, so only commands use them."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the messages of C libraries, such as an MP3 decoder or PortAudio, off standard error; ours still appear.

    It redirects descriptor 2 of the process, so only a command may use it, once, before any thread starts.
    """
    try:
        sys.stderr.flush()
        kept, own = os.dup(2), sys.stderr
    except (OSError, AttributeError):  # there is no standard error
        yield
        return
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    os.close(silent)
    try:
        with open(os.dup(kept), "w", buffering=1, errors="backslashreplace") as sys.stderr:
            yield
    finally:
        sys.stderr = own
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def quiet_workers() -> Iterator[None]:
    """Hide joblib's warning that an idle process has ended: it starts another one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given to the executor")
        yield


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hide PyTorch's notes on the internals of its exporter (missing torchvision, renamed axes)."""
    import torch.onnx  # imported first, because the import sets up its loggers

    logger = logging.getLogger(torch.onnx.__name__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
