"""A microphone without hardware: a PulseAudio server of the test's own, whose source hears what is played."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ASOUNDRC = """
pcm.virtmic { type pulse
  device virtmic
  hint { show on
    description "virtmic" } }
ctl.virtmic { type pulse }
"""


class VirtualMicrophone:
    """A running server; programs started with `environment` find the input device ``virtmic``."""

    def __init__(self, home: Path) -> None:
        socket = home / "pulse.socket"
        (home / ".asoundrc").write_text(ASOUNDRC)
        self.environment = os.environ | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PULSE_SERVER": f"unix:{socket}",
        }
        command = [
            "pulseaudio",
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disable-shm=yes",
        ]
        command += ["--realtime=no", "--high-priority=no"]
        for module in (
            f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
            "module-null-sink sink_name=virt rate=16000 channels=1 norewinds=1",
            "module-remap-source source_name=virtmic master=virt.monitor",
        ):
            command += ["-L", module]
        self.server = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(100):
            if "virtmic" in self._pactl("list", "short", "sources"):
                return
            time.sleep(0.1)
        raise RuntimeError("PulseAudio did not start")

    def play(self, path: Path) -> None:
        """Play a file into the microphone, to its end."""
        subprocess.run(["paplay", "--device=virt", str(path)], env=self.environment, check=True, timeout=60)

    def _pactl(self, *arguments: str) -> str:
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True, text=True).stdout


@contextmanager
def virtual_microphone(home: Path) -> Iterator[VirtualMicrophone]:
    """A virtual microphone, ended in the end."""
    microphone = VirtualMicrophone(home)
    try:
        yield microphone
    finally:
        microphone.server.terminate()
        with suppress(subprocess.TimeoutExpired):
            microphone.server.wait(5)
        microphone.server.kill()


def available() -> bool:
    """Whether the programs that this needs are installed."""
    return all(map(shutil.which, ("pulseaudio", "pactl", "paplay")))
