"""Keeps a live source alive: watches it, opens it again when it is lost, and keeps it from falling behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TypeVar

from rtser.errors import DeviceError
from rtser.features import HOP_SAMPLES, SAMPLE_RATE
from rtser.settings import SourceSettings
from rtser.sources import Break, LiveSource, Piece
from rtser.sources.convert import Converter
from rtser.vitals import Vitals

WAIT_S = 0.1
"""Longest wait for sound, so that an end that is asked for is heard."""
OPEN_S = 10.0
"""Longest wait for a device to open at the start."""
CLOSE_S = 1.0
LATE_S = 2.0
"""So long later than `max_lag_ms` by the clock, and the source is opened again: the sound lags in the driver."""
SETTLE_S = 0.05
COMPARED_S = 30.0

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Opener = Callable[[LiveSource | None], LiveSource]
"""Closes a source that was lost, if there is one, and opens it again; may hang, and runs on a thread of its own."""


class Supervisor:
    """A live source that mends itself.

    Use as a context: entering opens the source, and raises DeviceError where that fails; later failures are tried again
    for ever. No call into the audio system is made on the caller's thread, for any of them may hang.

    Args:
        open_source: see `Opener`.
        settings: see `SourceSettings`.
        vitals: where drops, holes and trouble are noted.
        channel: which channel to hear, counted from 0; None for the mean of all.
        clock: seconds, monotonic; `elapsed_s` if not named.
    """

    def __init__(
        self,
        open_source: Opener,
        settings: SourceSettings,
        vitals: Vitals,
        channel: int | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._open_source, self._settings, self._vitals = open_source, settings, vitals
        self._channel, self._clock = channel, clock or elapsed_s

    def __enter__(self) -> Supervisor:
        self._opening = _in_background(self._open_source, None)
        try:
            self._take(self._opening.result(OPEN_S))
        except NotYet:
            raise DeviceError(
                f"the audio system has not answered for {OPEN_S:.0f} s; is the sound server well?"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        closing = _in_background(lambda opening: opening.result().close(), self._opening)
        with suppress(NotYet, DeviceError):  # a sound server that hangs must not keep the program
            closing.result(CLOSE_S)

    def _take(self, source: LiveSource) -> None:
        """Hear a source that has just been opened."""
        self.source = source
        self._converter = Converter(source.sample_rate, self._channel)
        self._lateness = Lateness(source.sample_rate)
        self._dropped = source.ring.dropped

    def lag_s(self) -> float:
        """How long ago, by the clock, the last sample given out was due."""
        return self._lateness.lag_s(self._clock(), self.source.ring.read_up_to)

    def pieces(self, stop: threading.Event) -> Iterator[Piece]:
        """Sound (n,), float32, mono, 16 kHz, and breaks, until `stop` is set."""
        silent_s, late_since_s = 0.0, None
        heard_s = before_s = self._clock()
        while not stop.is_set():
            source = self.source
            source.wait(WAIT_S)
            now_s = self._clock()
            # A process that was itself stopped has not listened: a long wait counts as a short one.
            silent_s += min(now_s - before_s, 2 * WAIT_S)
            before_s = now_s
            if source.ring.waiting:
                late_s = self._lateness.note(now_s, source.ring.written)
                silent_s, heard_s = 0.0, now_s - late_s
                yield from self._hear(source, stop)
                late_since_s = (late_since_s or now_s) if late_s > self._settings.max_lag_ms / 1000 else None
            why = self._lost(silent_s, late_since_s is not None and now_s - late_since_s > LATE_S)
            if why and not stop.is_set():
                yield self._converter_rest()
                yield Break("lost", why)
                self._vitals.trouble = why
                yield from self._reopen(heard_s, stop)
                silent_s, late_since_s = 0.0, None
                heard_s = before_s = self._clock()

    def _lost(self, silent_s: float, late: bool) -> str:
        """Why the source counts as lost; empty if it does not."""
        if self.source.ended and not self.source.ring.waiting:
            return f"{self.source.name} has gone"
        if silent_s > self._settings.watchdog_s:
            return f"{self.source.name} has delivered no sound for {self._settings.watchdog_s:g} s"
        if late:
            return f"{self.source.name} delivers its sound more than {self._settings.max_lag_ms:g} ms late"
        return ""

    def _hear(self, source: LiveSource, stop: threading.Event) -> Iterator[Piece]:
        """What waits in the ring; of too much, the newest hop."""
        ring, hop = source.ring, HOP_SAMPLES * source.sample_rate // SAMPLE_RATE
        most = round(self._settings.max_lag_ms / 1000 * source.sample_rate)
        while ring.waiting > most and not stop.is_set():
            ring.skip_to(ring.written - hop)
            stop.wait(SETTLE_S)  # old sound comes in a burst, which is skipped as one
        block = ring.read(most)
        if dropped := ring.dropped - self._dropped:
            self._dropped = ring.dropped
            samples = dropped * SAMPLE_RATE // source.sample_rate
            self._vitals.dropped_samples += samples
            yield self._converter_rest()
            yield Break("skipped", f"{samples / SAMPLE_RATE:.2f} s of sound came too late to be heard", samples)
        yield self._converter.convert(block)

    def _converter_rest(self) -> Piece:
        """What the resampler still holds; it begins anew."""
        rest = self._converter.flush()
        self._converter = Converter(self.source.sample_rate, self._channel)
        return rest

    def _reopen(self, heard_s: float, stop: threading.Event) -> Iterator[Piece]:
        """Try until there is sound again, then tell how much is missing since `heard_s`."""
        pause_s = self._settings.retry_min_s
        old: LiveSource | None = self.source
        while not stop.is_set():
            self._opening = _in_background(self._open_source, old)
            while not stop.is_set() and not self._opening.done():
                wait([self._opening], WAIT_S)
            if stop.is_set():
                return
            try:
                self._take(self._opening.result())
                old = self.source
            except DeviceError as error:
                self._vitals.trouble, old = str(error).rstrip("."), None
            else:
                if self._sounds(stop):
                    missing = round((self._clock() - heard_s) * SAMPLE_RATE) - self._waiting_samples()
                    self._vitals.missing_samples += max(0, missing)
                    self._vitals.trouble = ""
                    yield Break("open", f"{self.source.name} at {self.source.sample_rate} Hz", max(0, missing))
                    return
            stop.wait(pause_s)
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    def _sounds(self, stop: threading.Event) -> bool:
        """Whether a source that opened without complaint delivers sound: a suspended one does not."""
        until_s = self._clock() + self._settings.watchdog_s
        while not stop.is_set() and not self.source.ended and self._clock() < until_s:
            self.source.wait(WAIT_S)
            if self.source.ring.waiting:
                return True
        return False

    def _waiting_samples(self) -> int:
        """Samples at 16 kHz that wait in the ring."""
        return self.source.ring.waiting * SAMPLE_RATE // self.source.sample_rate


class Lateness:
    """How much later than it should the sound of a source comes, by the clock.

    The clock and the source's own drift apart by seconds a day, so it is compared with the promptest arrival
    of the last half to whole minute only.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._least_s = self._least_before_s = float("inf")
        self._turn_s = float("-inf")

    def note(self, now_s: float, written: int) -> float:
        """Take note that so many frames have arrived by now; seconds that they are late."""
        offset_s = now_s - written / self._sample_rate
        if now_s > self._turn_s:
            self._turn_s = now_s + COMPARED_S
            self._least_before_s, self._least_s = self._least_s, offset_s
        self._least_s = min(self._least_s, offset_s)
        return offset_s - min(self._least_s, self._least_before_s)

    def lag_s(self, now_s: float, frames: int) -> float:
        """Seconds from when a frame was due until now."""
        return now_s - frames / self._sample_rate - min(self._least_s, self._least_before_s)


def _in_background(call: Callable[[Argument], Result], argument: Argument) -> Future[Result]:
    """Run a call that may hang on a thread of its own, which never keeps the program from ending."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call(argument))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def elapsed_s() -> float:
    """Seconds since the machine started; where the system can tell, also those that it slept."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
