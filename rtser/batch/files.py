"""Whole files for `rtser file`: one by one in this process, or several at once in other processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from rtser.audio.file import AudioFile
from rtser.audio.opening import STANDARD_INPUT, shown
from rtser.audio.pacing import PacedSource
from rtser.batch.run import DEADLY, in_processes
from rtser.batch.work import Job, Kept
from rtser.errors import InputError
from rtser.events import EndEvent, Event
from rtser.session import Session
from rtser.settings import RawSettings
from rtser.sinks import AudioSink, Sink

logger = logging.getLogger("rtser")


@dataclass(frozen=True)
class FileJob(Job):
    """How files are recognised, and whether a picture is made.

    Attributes:
        channel: which channel, counted from 0; None for the mean of all.
        raw: format of samples without a header.
        picture: whether a picture is drawn.
    """

    channel: int | None = None
    raw: RawSettings | None = None
    picture: bool = False


@dataclass
class Told:
    """The results of one file.

    Attributes:
        events: from start to end; decisions only if the job keeps them.
        warnings: the log messages of the other process.
        picture: PNG, if the job asks for it.
        problem: why the file could not be recognised, or not to its end.
    """

    events: Sequence[Event] = ()
    warnings: list[str] = field(default_factory=list)
    picture: bytes | None = None
    problem: InputError | None = None


def recognise_file(
    session: Session,
    path: str | Path,
    channel: int | None,
    speed: float,
    sinks: Sequence[Sink],
    stop: threading.Event,
    name: str | None = None,
    raw: RawSettings | None = None,
    audio_sinks: Sequence[AudioSink] = (),
    opened: Callable[[AudioFile], object] = lambda _: None,
) -> None:
    """Recognise one file.

    Args:
        session: recognises it.
        path: the file, a URL, or ``-`` for standard input.
        channel: which channel, counted from 0; None for the mean of all.
        speed: a multiple of real time; 0 does not wait.
        sinks: get the events.
        stop: ends the sound as soon as it is set.
        name: name of the source in the events; the path if not given.
        raw: format of samples without a header.
        audio_sinks: get the sound.
        opened: called with the open file.

    Raises:
        InputError: the file cannot be read, or is too short.
    """
    with AudioFile(path, channel, raw) as audio:
        opened(audio)
        controls = session.controls
        controls.holds = True
        paced = PacedSource(audio, speed, stop, name, lambda: controls.paused)
        end = session.run(paced, sinks, audio_sinks)
    if not end.decisions and not stop.is_set():
        raise InputError(f"{audio.name}: {end.time:.3f} s of sound is too short to decide (a segment lasts 0.335 s)")


def told(
    job: FileJob,
    session: Session,
    path: str,
    stop: threading.Event,
    speed: float = 0.0,
    sinks: Sequence[Sink] = (),
    audio_sinks: Sequence[AudioSink] = (),
    opened: Callable[[AudioFile], object] = lambda _: None,
) -> Told:
    """Recognise a file, also for further sinks, and return its results; a file that cannot be read is their problem."""
    kept, result = Kept(job.decisions, interim=True), Told()
    pictures = []
    if job.picture:
        from rtser.ui.picture import Picture

        pictures.append(Picture(session.labels, job.threshold(session.model)))
    told_to, heard_by = [*sinks, kept, *pictures], [*audio_sinks, *pictures]
    try:
        recognise_file(session, path, job.channel, speed, told_to, stop, None, job.raw, heard_by, opened)
    except InputError as error:
        result.problem = error
    except (OSError, ValueError, RuntimeError) as error:  # a decoder's own error for an unsuitable file
        result.problem = InputError(f"{shown(path)} cannot be decoded ({type(error).__name__}: {error})")
    result.events = kept.events
    end = kept.events[-1] if kept.events else None
    if pictures and isinstance(end, EndEvent) and end.decisions and not stop.is_set():
        result.picture = pictures[0].png()
    return result


def one_by_one(
    session: Session,
    job: FileJob,
    paths: Sequence[str],
    speed: float,
    sinks: Sequence[Sink],
    stop: threading.Event,
    audio_sinks: Sequence[AudioSink],
    begin: Callable[[str, float | None], object],
) -> Iterator[tuple[str, Told]]:
    """The results of one file after another, in this process; the sinks get each event at once.

    `begin` is called with each file's name and its length in seconds, if that is known. See `recognise_file`.
    """
    job = replace(job, decisions=False)  # the sinks get them

    def opened(audio: AudioFile) -> None:
        begin(audio.name, audio.duration_s)

    for path in paths:
        if stop.is_set():
            return
        yield path, told(job, session, path, stop, speed, sinks, audio_sinks, opened)


def several(
    session: Session, job: FileJob, paths: Sequence[str], jobs: int, sinks: Sequence[Sink], stop: threading.Event
) -> Iterator[tuple[str, Told]]:
    """The results of files from several processes; the sinks get the events of each finished file, in order.

    `session` recognises standard input, which other processes do not have.
    """
    elsewhere = in_processes(
        partial(_elsewhere, job),
        [path for path in paths if path != STANDARD_INPUT],
        jobs,
        stop.is_set,
        _killed,
        ordered=True,
    )
    for path in paths:
        said = told(job, session, path, stop) if path == STANDARD_INPUT else next(elsewhere, (path, None))[1]
        if said is None or stop.is_set():
            return
        for warning in said.warnings:
            logger.warning("%s", warning)
        for event in said.events:
            for sink in sinks:
                sink.write(event)
        yield path, said


def sizes(paths: Sequence[str]) -> list[float]:
    """The work for each file, in bytes; a file of unknown size gets the mean of the others."""
    known = [_size(path) for path in paths]
    mean = sum(known) / max(1, sum(size > 0 for size in known)) or 1.0
    return [float(size) or mean for size in known]


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):  # opening it will report the problem
        return 0


def _elsewhere(job: FileJob, path: str) -> Told:
    with _warnings() as warnings:
        result = told(job, job.session(), path, threading.Event())
    result.warnings = warnings
    return result


def _killed(path: str) -> Told:
    return Told(problem=InputError(f"{path}: {DEADLY}"))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect log messages, because another process prints the warnings."""
    found: list[str] = []

    class Finder(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    handler = Finder()
    logger.addHandler(handler)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
