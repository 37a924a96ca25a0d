"""A source's samples through a stream, out as events; paced in real time where asked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from rtser.decide import Utterances
from rtser.errors import InputError
from rtser.events import Decided, End, Event, Spoken, Start
from rtser.features import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.stream import Stream

STEPS_KEPT = 10_000
"""Of how many of the last hops the step time is reported: 10 minutes."""


def recognise(blocks: Iterable[Float32], stream: Stream, source: str, sample_rate: int) -> Iterator[Event]:
    """All events of one source, from `Start` to `End`.

    Args:
        blocks: samples (n,), float32, mono, 16 kHz.
        stream: fresh or reset.
        source: its name in the events.
        sample_rate: the source's own rate in Hz, for the events.

    Raises:
        InputError: the source failed or ended before its first decision; raised after the `End` event.
        KeyboardInterrupt: while waiting for the source; likewise.
    """
    yield Start.of(source, sample_rate, stream.model)
    utterances = Utterances(stream.min_confidence)
    steps_s: deque[float] = deque(maxlen=STEPS_KEPT)
    count = 0
    failure: InputError | KeyboardInterrupt | None = None
    try:
        for block in blocks:
            for hop in split(block, HOP_SAMPLES):
                before_s = time.perf_counter()
                decisions = stream.push(hop)
                steps_s.append(time.perf_counter() - before_s)
                for decision in decisions:
                    count += 1
                    yield Decided.of(decision)
                    if utterance := utterances.push(decision):
                        yield Spoken.of(utterance)
    except (InputError, KeyboardInterrupt) as error:
        failure = error
    if utterance := utterances.finish():
        yield Spoken.of(utterance)
    yield End.of(stream.time_s, count, list(steps_s))
    if failure:
        raise failure
    if count == 0:
        raise InputError(f"{source}: {stream.time_s:.3f} s of sound is too short to decide; a segment lasts 0.335 s.")


def split(block: Float32, samples: int) -> Iterator[Float32]:
    """A block (n,) in pieces of at most so many samples."""
    return (block[start : start + samples] for start in range(0, len(block), samples))


def paced(
    blocks: Iterable[Float32],
    speed: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Float32]:
    """Give each 60 ms of sound out when it would have been heard at `speed` times real time; 0 does not wait."""
    started_s, heard = clock(), 0
    for block in blocks:
        for hop in split(block, HOP_SAMPLES):
            heard += len(hop)
            if speed > 0 and (early_s := started_s + heard / SAMPLE_RATE / speed - clock()) > 0:
                sleep(early_s)
            yield hop
