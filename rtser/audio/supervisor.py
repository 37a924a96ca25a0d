"""Watches a capture device: opens it again when it is lost, and keeps it from falling behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures import wait
from contextlib import suppress
from functools import partial

from rtser.audio.devices import LastingDeviceError
from rtser.audio.lateness import Lateness, elapsed_s
from rtser.audio.resample import MonoResampler
from rtser.audio.source import CaptureDevice, Chunk, Gap
from rtser.audio.timeouts import ANSWER_S, no_answer, start_call
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE
from rtser.errors import DeviceError
from rtser.settings import SourceSettings

WAIT_S = 0.1
"""Longest wait for sound. So a request to end is noticed at the latest after this time."""
CLOSE_S = 1.0
LATE_S = 2.0
"""If the sound is later than `max_lag_ms` for so long, it lags in the driver, and the source is opened again."""
SETTLE_S = 0.05
MOST_SETTLES = 20

Opener = Callable[[CaptureDevice | None], CaptureDevice]
"""Closes a lost device, if there is one, and opens it again. It may hang, so it runs on a thread of its own."""


class Supervisor:
    """A live source that opens its device again when it is lost (a `rtser.audio.source.Source`).

    Use as a context: entering opens the device, and raises DeviceError if that fails, unless it is to wait. Later
    failures are tried again for ever. Entering ends early when `stop` is set; then there is no device, and `chunks`
    must not be called. All calls into the audio system are made on other threads, because any of them may hang.

    Args:
        open_device: see `Opener`.
        settings: see `SourceSettings`.
        stop: ends the sound.
        channel: which channel to use, counted from 0; None for the mean of all.
        clock: seconds, monotonic; `elapsed_s` if not named.
        waiting: told once, in words, that there is no device at the start, which is then tried again until there is
            one; None: that is an error.

    Attributes:
        device: the open one.
        trouble: what is wrong with the device now; empty while all is well.
        is_open: whether a device was ever open.
    """

    device: CaptureDevice

    def __init__(
        self,
        open_device: Opener,
        settings: SourceSettings,
        stop: threading.Event,
        channel: int | None = None,
        clock: Callable[[], float] | None = None,
        waiting: Callable[[DeviceError], object] | None = None,
    ) -> None:
        self._open_device, self._settings = open_device, settings
        self._stop, self._channel, self._clock = stop, channel, clock or elapsed_s
        self._waiting, self._other = waiting, ""
        self.trouble, self.is_open = "", False

    def change(self, why: str) -> None:
        """Open the device anew, as after a loss: the opener has another one now. May be called from any thread."""
        self._other = why

    @property
    def name(self) -> str:
        """The device's name."""
        return self.device.name

    @property
    def sample_rate(self) -> int:
        """The device's own rate in Hz."""
        return self.device.sample_rate

    def __enter__(self) -> Supervisor:
        try:
            self._open_first()
        except LastingDeviceError:
            raise
        except DeviceError as error:
            if self._waiting is None:
                raise
            self._waiting(error)
            self._wait_for_first()
        return self

    def _open_first(self) -> None:
        """Open the device, and read from it; DeviceError where that fails."""
        self._open_again(None, ANSWER_S)
        if self._opening.done():
            self._take(self._opening.result())
        elif not self._stop.is_set():
            raise no_answer()

    def _wait_for_first(self) -> None:
        """Try until there is a device, or the end is asked for."""
        pause_s = self._settings.retry_min_s
        while not self._stop.wait(pause_s):
            if self._opening.done() and self._opening.exception():  # one that hangs may still answer
                self._open_again(None, ANSWER_S)
            if self._opening.done():
                try:
                    self._take(self._opening.result())
                    return
                except LastingDeviceError:
                    raise
                except DeviceError:
                    pause_s = min(2 * pause_s, self._settings.retry_max_s)

    def __exit__(self, *_: object) -> None:
        closing = start_call(lambda: self._opening.result().close())
        with suppress(NotYet, DeviceError):  # a sound server that hangs must not keep the program
            closing.result(CLOSE_S)

    def _open_again(self, lost: CaptureDevice | None, most_s: float = float("inf")) -> None:
        """Begin to open the source, and wait until that is done, or for so long, or until the end is asked for."""
        self._opening = start_call(partial(self._open_device, lost))
        until_s = time.monotonic() + most_s
        while not self._opening.done() and not self._stop.is_set() and time.monotonic() < until_s:
            wait([self._opening], WAIT_S)

    def _take(self, device: CaptureDevice) -> None:
        """Read from a device that has just been opened."""
        self.device, self.is_open = device, True
        self._resampler = MonoResampler(device.name, device.sample_rate, self._channel)
        self._lateness = Lateness(device.sample_rate)
        self._dropped = device.ring.dropped

    def lag_s(self) -> float:
        """How long ago, by the clock, the last sample given out was due."""
        return self._lateness.lag_s(self._clock(), self.device.ring.read_up_to)

    def chunks(self) -> Iterator[Chunk]:
        """Sound (n,), float32, mono, 16 kHz, and gaps, until the end is asked for."""
        stop = self._stop
        silent_s, late_since_s = 0.0, None
        last_sound_s = before_s = self._clock()
        while not stop.is_set():
            device = self.device
            device.wait(WAIT_S)
            now_s = self._clock()
            # A long wait counts as a short one: a process that was itself stopped could not read.
            silent_s += min(now_s - before_s, 2 * WAIT_S)
            before_s = now_s
            if device.ring.waiting:
                late_s = self._lateness.note(now_s, device.ring.written)
                silent_s, last_sound_s = 0.0, now_s - late_s
                yield from self._read(device)
                late_since_s = (late_since_s or now_s) if late_s > self._settings.max_lag_ms / 1000 else None
            why = self._lost(silent_s, late_since_s is not None and now_s - late_since_s > LATE_S)
            if why and not stop.is_set():
                yield self._resampler.flush()
                self.trouble = why
                yield Gap("lost", why)
                yield from self._reopen(last_sound_s)
                silent_s, late_since_s = 0.0, None
                last_sound_s = before_s = self._clock()

    def _lost(self, silent_s: float, late: bool) -> str:
        """Why the source counts as lost; empty if it does not."""
        if self._other:
            why, self._other = self._other, ""
            return why
        if self.device.ended and not self.device.ring.waiting:
            return f"{self.device.name} has gone"
        if silent_s > self._settings.watchdog_s:
            return f"{self.device.name} has delivered no sound for {self._settings.watchdog_s:g} s"
        if late:
            return f"{self.device.name} delivers its sound more than {self._settings.max_lag_ms:g} ms late"
        return ""

    def _read(self, device: CaptureDevice) -> Iterator[Chunk]:
        """What waits in the ring; if that is too much, the newest hop."""
        ring, hop = device.ring, HOP_SAMPLES * device.sample_rate // SAMPLE_RATE
        most = round(self._settings.max_lag_ms / 1000 * device.sample_rate)
        if ring.waiting > most:
            for _ in range(MOST_SETTLES):  # old sound comes in a burst, which is skipped as one
                before = ring.written
                self._stop.wait(SETTLE_S)
                if ring.written - before <= 2 * SETTLE_S * device.sample_rate:
                    break
            ring.skip_to(ring.written - hop)
        block = ring.read(most)
        if dropped := ring.dropped - self._dropped:
            self._dropped = ring.dropped
            samples = dropped * SAMPLE_RATE // device.sample_rate
            yield self._resampler.flush()
            yield Gap("skipped", f"{samples / SAMPLE_RATE:.2f} s of sound came too late and was skipped", samples)
        yield self._resampler.convert(block)

    def _reopen(self, last_sound_s: float) -> Iterator[Chunk]:
        """Try until there is sound again, then tell how much is missing since `last_sound_s`."""
        pause_s = self._settings.retry_min_s
        old: CaptureDevice | None = self.device
        while not self._stop.is_set():
            self._other = ""
            self._open_again(old)
            if self._stop.is_set():
                return
            try:
                self._take(self._opening.result())
                old = self.device
            except DeviceError as error:
                self.trouble, old = str(error).rstrip("."), None
            else:
                if self._delivers_sound():
                    missing = round((self._clock() - last_sound_s) * SAMPLE_RATE) - self._waiting_samples()
                    self.trouble = ""
                    yield Gap("open", f"{self.device.name} at {self.device.sample_rate} Hz", max(0, missing))
                    return
            until_s = time.monotonic() + pause_s
            while not self._other and time.monotonic() < until_s and not self._stop.wait(min(WAIT_S, pause_s)):
                pass
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    def _delivers_sound(self) -> bool:
        """Whether a source that was opened delivers sound. A suspended one opens without an error and delivers none."""
        until_s = self._clock() + self._settings.watchdog_s
        while not self._stop.is_set() and not self.device.ended and self._clock() < until_s:
            self.device.wait(WAIT_S)
            if self.device.ring.waiting:
                return True
        return False

    def _waiting_samples(self) -> int:
        """Samples at 16 kHz that wait in the ring."""
        return self.device.ring.waiting * SAMPLE_RATE // self.device.sample_rate
