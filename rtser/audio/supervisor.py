"""Keeps a live source alive: watches it, opens it again when it is lost, and keeps it from falling behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from concurrent.futures import wait
from contextlib import suppress
from functools import partial

from rtser.audio.resample import Converter
from rtser.audio.source import Break, LiveSource, Piece
from rtser.audio.timeouts import ANSWER_S, in_background, no_answer
from rtser.engine.features import HOP_SAMPLES, SAMPLE_RATE
from rtser.errors import DeviceError
from rtser.settings import SourceSettings
from rtser.statistics import Vitals

WAIT_S = 0.1
"""Longest wait for sound, so that an end that is asked for is heard."""
CLOSE_S = 1.0
LATE_S = 2.0
"""So long later than `max_lag_ms` by the clock, and the source is opened again: the sound lags in the driver."""
SETTLE_S = 0.05
MOST_SETTLES = 20
COMPARED_S = 30.0

Opener = Callable[[LiveSource | None], LiveSource]
"""Closes a source that was lost, if there is one, and opens it again; may hang, and runs on a thread of its own."""


class Supervisor:
    """A live source that mends itself.

    Use as a context: entering opens the source, and raises DeviceError where that fails; later failures are tried again
    for ever. Entering ends early when `stop` is set; there is no source then, and nothing to hear. No call into the
    audio system is made on the caller's thread, for any of them may hang.

    Args:
        open_source: see `Opener`.
        settings: see `SourceSettings`.
        vitals: where drops, holes and trouble are noted.
        stop: ends the sound.
        channel: which channel to hear, counted from 0; None for the mean of all.
        clock: seconds, monotonic; `elapsed_s` if not named.
    """

    def __init__(
        self,
        open_source: Opener,
        settings: SourceSettings,
        vitals: Vitals,
        stop: threading.Event,
        channel: int | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._open_source, self._settings, self._vitals = open_source, settings, vitals
        self._stop, self._channel, self._clock = stop, channel, clock or elapsed_s

    def __enter__(self) -> Supervisor:
        self._open_again(None, ANSWER_S)
        if self._opening.done():
            self._take(self._opening.result())
        elif not self._stop.is_set():
            raise no_answer()
        return self

    def __exit__(self, *_: object) -> None:
        closing = in_background(lambda: self._opening.result().close())
        with suppress(NotYet, DeviceError):  # a sound server that hangs must not keep the program
            closing.result(CLOSE_S)

    def _open_again(self, lost: LiveSource | None, most_s: float = float("inf")) -> None:
        """Begin to open the source, and wait until that is done, or for so long, or until the end is asked for."""
        self._opening = in_background(partial(self._open_source, lost))
        until_s = time.monotonic() + most_s
        while not self._opening.done() and not self._stop.is_set() and time.monotonic() < until_s:
            wait([self._opening], WAIT_S)

    def _take(self, source: LiveSource) -> None:
        """Hear a source that has just been opened."""
        self.source = source
        self._converter = Converter(source.sample_rate, self._channel)
        self._lateness = Lateness(source.sample_rate)
        self._dropped = source.ring.dropped

    def lag_s(self) -> float:
        """How long ago, by the clock, the last sample given out was due."""
        return self._lateness.lag_s(self._clock(), self.source.ring.read_up_to)

    def pieces(self) -> Iterator[Piece]:
        """Sound (n,), float32, mono, 16 kHz, and breaks, until the end is asked for."""
        stop = self._stop
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
                yield from self._hear(source)
                late_since_s = (late_since_s or now_s) if late_s > self._settings.max_lag_ms / 1000 else None
            why = self._lost(silent_s, late_since_s is not None and now_s - late_since_s > LATE_S)
            if why and not stop.is_set():
                yield self._converter_rest()
                yield Break("lost", why)
                self._vitals.trouble = why
                yield from self._reopen(heard_s)
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

    def _hear(self, source: LiveSource) -> Iterator[Piece]:
        """What waits in the ring; of too much, the newest hop."""
        ring, hop = source.ring, HOP_SAMPLES * source.sample_rate // SAMPLE_RATE
        most = round(self._settings.max_lag_ms / 1000 * source.sample_rate)
        if ring.waiting > most:
            for _ in range(MOST_SETTLES):  # old sound comes in a burst, which is skipped as one
                before = ring.written
                self._stop.wait(SETTLE_S)
                if ring.written - before <= 2 * SETTLE_S * source.sample_rate:
                    break
            ring.skip_to(ring.written - hop)
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

    def _reopen(self, heard_s: float) -> Iterator[Piece]:
        """Try until there is sound again, then tell how much is missing since `heard_s`."""
        pause_s = self._settings.retry_min_s
        old: LiveSource | None = self.source
        while not self._stop.is_set():
            self._open_again(old)
            if self._stop.is_set():
                return
            try:
                self._take(self._opening.result())
                old = self.source
            except DeviceError as error:
                self._vitals.trouble, old = str(error).rstrip("."), None
            else:
                if self._sounds():
                    missing = round((self._clock() - heard_s) * SAMPLE_RATE) - self._waiting_samples()
                    self._vitals.missing_samples += max(0, missing)
                    self._vitals.trouble = ""
                    yield Break("open", f"{self.source.name} at {self.source.sample_rate} Hz", max(0, missing))
                    return
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    def _sounds(self) -> bool:
        """Whether a source that opened without complaint delivers sound: a suspended one does not."""
        until_s = self._clock() + self._settings.watchdog_s
        while not self._stop.is_set() and not self.source.ended and self._clock() < until_s:
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


def elapsed_s() -> float:
    """Seconds since the machine started; where the system can tell, also those that it slept."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
