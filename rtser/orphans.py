"""Worker processes end with the process that began them, also where that one was killed."""

from __future__ import annotations

import os
import threading
import time
from functools import cache

LOOK_S = 0.5


@cache
def end_with_parent() -> None:
    """End this process, a worker, as soon as its parent has ended; otherwise it would go on for nobody.

    Whatever it writes is whole or absent (`rtser.files.replacing`), so it may end at any moment. Windows does not tell
    that a parent has ended; there the worker finishes what it has begun.
    """
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)
