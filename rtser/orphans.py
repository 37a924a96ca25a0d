"""Worker processes end with the process that began them, also where that one was killed."""

from __future__ import annotations

import os
import threading
import time
from functools import cache
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess

LOOK_S = 0.5


@cache
def end_with_parent() -> None:
    """End this process, a worker, as soon as its parent has ended; otherwise it would go on for nobody.

    Whatever it writes is whole or absent (`rtser.files.replacing`), so it may end at any moment. In a process that
    multiprocessing and joblib did not begin nothing happens.
    """
    if (parent := parent_process()) is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    try:
        parent.join()
    except ValueError:  # joblib's workers know no more of it than its number
        while os.getppid() == parent.pid:
            time.sleep(LOOK_S)
    os._exit(1)
