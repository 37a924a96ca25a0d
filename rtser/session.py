"""A source's pieces through a stream and a decider, out as events; paced in real time where asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from rtser.audio.source import Break, Piece
from rtser.engine.decider import Decider
from rtser.engine.features import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.engine.stream import Stream
from rtser.errors import RtserError
from rtser.events import Decided, End, Event, SourceChanged, Spoken, Start
from rtser.statistics import Vitals


def recognise(
    pieces: Iterable[Piece],
    stream: Stream,
    decider: Decider,
    source: str,
    sample_rate: int,
    vitals: Vitals | None = None,
    lag_s: Callable[[], float] | None = None,
) -> Iterator[Event]:
    """All events of one source, from `Start` to `End`.

    After a `Break` the stream and the decider begin anew, while time goes on.

    Args:
        pieces: samples (n,), float32, mono, 16 kHz; and breaks.
        stream: decides; reset here.
        decider: makes readings of its decisions; cleared here.
        source: its name in the events.
        sample_rate: the source's own rate in Hz, for the events.
        vitals: where the run's figures are noted.
        lag_s: tells how long ago, by the clock, the last sample of the newest block was due; live sources only.

    Raises:
        RtserError: the source failed; raised after the `End` of what could be heard.
    """
    vitals = vitals or Vitals()
    stream.reset()
    decider.clear()
    begin, count = 0, 0  # samples before the stream's own time zero; decisions
    failure: RtserError | None = None
    yield Start.of(source, sample_rate, stream.model)
    try:
        for piece in pieces:
            if isinstance(piece, Break):
                yield from _utterance(decider, begin)
                begin += stream.samples + piece.missing_samples
                stream.reset()
                decider.clear()
                at = begin if piece.state == "open" else begin - piece.missing_samples
                yield SourceChanged(at / SAMPLE_RATE, piece.state, piece.detail, piece.missing_samples)
                continue
            vitals.hear(piece)
            heard = stream.samples + len(piece)
            for hop in split(piece, HOP_SAMPLES):
                before_s = time.perf_counter()
                decisions = stream.push(hop)
                if decisions:
                    vitals.steps_s.append(time.perf_counter() - before_s)
                for decision in decisions:
                    count += 1
                    reading = decider.push(decision)
                    yield Decided.of(decision, reading, begin)
                    if reading.utterance:
                        yield Spoken.of(reading.utterance, begin)
                    if lag_s:
                        vitals.latencies_s.append(lag_s() + heard / SAMPLE_RATE - decision.time_s)
    except RtserError as error:
        failure = error
    yield from _utterance(decider, begin)
    yield End.of((begin + stream.samples) / SAMPLE_RATE, count, vitals)
    if failure:
        raise failure


def _utterance(decider: Decider, begin: int) -> Iterator[Event]:
    """The utterance that a break or the end cuts off, if there is one."""
    if utterance := decider.finish():
        yield Spoken.of(utterance, begin)


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
