"""How many channels a microphone really has, where a sound server offers any number of them.

PulseAudio and PipeWire mix what a source has into as many channels as a program asks for, so PortAudio counts 32.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from typing import Any

ANSWER_S = 3.0


def channels_of_own_source() -> int | None:
    """Channels of the source that this process records from; None where no sound server tells of one."""
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, subprocess.SubprocessError):
        own = str(os.getpid())
        for recording in _listed("source-outputs"):
            if recording["properties"].get("application.process.id") == own:
                (source,) = [one for one in _listed("sources") if one["index"] == recording["source"]]
                return len(source["channel_map"].split(","))
    return None


def _listed(kind: str) -> list[dict[str, Any]]:
    """What `pactl` lists; nothing where it is not installed."""
    program = shutil.which("pactl")
    if program is None:
        return []
    command = [program, "--format=json", "list", kind]
    environment = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=ANSWER_S, env=environment, stdin=subprocess.DEVNULL
    )
    return list(json.loads(done.stdout))
