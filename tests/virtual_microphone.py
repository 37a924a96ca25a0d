"""A microphone without hardware: a PulseAudio server of the test's own, whose source hears what is played."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ASOUNDRC = """
pcm.virtmic { type pulse
  device virtmic
  hint { show on
    description "virtmic" } }
ctl.virtmic { type pulse }
"""


class VirtualMicrophone:
    """A server and its source; programs started with `environment` find the input device ``virtmic``."""

    def __init__(self, home: Path) -> None:
        self._socket = home / "pulse.socket"
        (home / ".asoundrc").write_text(ASOUNDRC)
        self.environment = os.environ | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PULSE_SERVER": f"unix:{self._socket}",
        }
        self.server: subprocess.Popen[bytes]
        self._modules: list[str] = []
        self.start_server()
        self.plug()

    def start_server(self) -> None:
        """Start the sound server, without a source."""
        self._socket.unlink(missing_ok=True)
        options = "-n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes --realtime=no"
        protocol = f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"
        command = ["pulseaudio", *options.split(), "--high-priority=no", "-L", protocol]
        quiet = subprocess.DEVNULL
        self.server = subprocess.Popen(command, env=self.environment, stdout=quiet, stderr=quiet)
        for _ in range(100):
            if self._pactl("info").returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PulseAudio did not start")

    def end_server(self) -> None:
        """End the sound server."""
        self.server.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.server.wait(5)
        self.server.kill()
        self.server.wait()

    def plug(self, rate: int = 16_000, channels: int = 1) -> None:
        """Make the source."""
        sink = f"sink_name=virt rate={rate} channels={channels} norewinds=1"
        source = "source_name=virtmic master=virt.monitor"
        for module in (f"module-null-sink {sink}", f"module-remap-source {source}"):
            loaded = self._pactl("load-module", *module.split())
            assert loaded.returncode == 0, loaded.stderr
            self._modules.append(loaded.stdout.strip())

    def unplug(self) -> None:
        """Remove the source, and all that it hears."""
        while self._modules:
            self._pactl("unload-module", self._modules.pop())

    def suspend(self, suspended: bool) -> None:
        """Suspend the source, or resume it."""
        assert self._pactl("suspend-source", "virtmic", str(int(suspended))).returncode == 0

    def play(self, path: Path) -> None:
        """Play a file into the microphone, to its end."""
        subprocess.run(["paplay", "--device=virt", str(path)], env=self.environment, check=True, timeout=60)

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True, text=True, timeout=10)


@contextmanager
def virtual_microphone(home: Path) -> Iterator[VirtualMicrophone]:
    """A virtual microphone, ended in the end."""
    microphone = VirtualMicrophone(home)
    try:
        yield microphone
    finally:
        microphone.end_server()


class Listening:
    """A running ``rtser listen --json`` whose events are collected as they come."""

    def __init__(self, environment: dict[str, str], *arguments: object, device: str = "virtmic") -> None:
        command = [sys.executable, "-m", "rtser", "listen", "--json", "--device", device, *map(str, arguments)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True)
        self.events: list[dict[str, Any]] = []
        self.complaint = ""
        self._readers = [threading.Thread(target=self._collect), threading.Thread(target=self._complain)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Listening:
        self.wait_for("decision", 15)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()

    def wait_for(self, kind: str, timeout_s: float, after: int = 0, state: str | None = None) -> dict[str, Any]:
        """The first event of a kind (and state) after so many events; fails when it does not come in time."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            for event in self.events[after:]:
                if event["type"] == kind and (state is None or event["state"] == state):
                    return event
            assert self.process.poll() is None, self.complaint
            time.sleep(0.02)
        raise AssertionError(f"no {state or ''} {kind} within {timeout_s} s: {self.events[after:][-3:]}")

    def handles(self) -> tuple[int, int]:
        """How many threads and open files the process has."""
        of_process = Path(f"/proc/{self.process.pid}")
        return len(list((of_process / "task").iterdir())), len(list((of_process / "fd").iterdir()))

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """End it by a signal: its exit code, and how long it took in seconds."""
        before_s = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(10)
        took_s = time.monotonic() - before_s
        for reader in self._readers:
            reader.join()
        return code, took_s

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All events of a kind so far."""
        return [event for event in self.events if event["type"] == kind]

    def _collect(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.events.append(json.loads(line))

    def _complain(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for line in lines:
                self.complaint += line


def available() -> bool:
    """Whether the programs that this needs are installed."""
    return all(map(shutil.which, ("pulseaudio", "pactl", "paplay")))
