"""A source's samples through a stream, out as events; paced in real time where asked."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from rtser.decide import Utterances
from rtser.errors import RtserError
from rtser.events import Decided, End, Event, Spoken, Start
from rtser.features import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.stream import Stream

STEPS_KEPT = 10_000
"""Of how many of the last hops the step time is reported: 10 minutes."""


def recognise(
    blocks: Iterable[Float32],
    stream: Stream,
    source: str,
    sample_rate: int,
    dropped_samples: Callable[[], int] = lambda: 0,
) -> Iterator[Event]:
    """All events of one source, from `Start` to `End`.

    Args:
        blocks: samples (n,), float32, mono, 16 kHz.
        stream: fresh or reset.
        source: its name in the events.
        sample_rate: the source's own rate in Hz, for the events.
        dropped_samples: tells how many samples the source has lost.

    Raises:
        RtserError: the source failed; raised after the `End` of what could be heard.
    """
    yield Start.of(source, sample_rate, stream.model)
    utterances = Utterances(stream.min_confidence)
    steps_s: deque[float] = deque(maxlen=STEPS_KEPT)
    count = 0
    failure: RtserError | None = None
    try:
        for block in blocks:
            for hop in split(block, HOP_SAMPLES):
                before_s = time.perf_counter()
                decisions = stream.push(hop)
                if decisions:
                    steps_s.append(time.perf_counter() - before_s)
                for decision in decisions:
                    count += 1
                    yield Decided.of(decision)
                    if utterance := utterances.push(decision):
                        yield Spoken.of(utterance)
    except RtserError as error:
        failure = error
    if utterance := utterances.finish():
        yield Spoken.of(utterance)
    yield End.of(stream.time_s, count, list(steps_s), dropped_samples())
    if failure:
        raise failure


def split(block: Float32, samples: int) -> Iterator[Float32]:
    """A block (n,) in pieces of at most so many samples."""
    return (block[start : start + samples] for start in range(0, len(block), samples))


def paced(blocks: Iterable[Float32], speed: float, stop: threading.Event) -> Iterator[Float32]:
    """Give each 60 ms of sound out when it would have been heard, and end when told to.

    Args:
        blocks: samples (n,) at 16 kHz.
        speed: times real time; 0 does not wait.
        stop: ends the sound as soon as it is set.
    """
    started_s, heard = time.monotonic(), 0
    for block in blocks:
        for hop in split(block, HOP_SAMPLES):
            heard += len(hop)
            early_s = started_s + heard / SAMPLE_RATE / speed - time.monotonic() if speed else 0.0
            if stop.wait(early_s) if early_s > 0 else stop.is_set():
                return
            yield hop
