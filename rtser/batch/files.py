"""Whole files as `rtser file` recognises them: one in this process, or several at once in processes of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rtser.audio.file import AudioFile
from rtser.audio.pacing import PacedSource
from rtser.batch.run import DEADLY, in_processes
from rtser.batch.work import Job, Kept
from rtser.errors import InputError
from rtser.events import Event
from rtser.session import Session
from rtser.settings import RawSettings
from rtser.sinks import AudioSink, Sink

logger = logging.getLogger("rtser")


@dataclass(frozen=True)
class FileJob(Job):
    """How files are recognised, and what is made of them.

    Attributes:
        channel: which channel, counted from 0; None for the mean of all.
        raw: what samples without a header are.
        picture: whether a picture is drawn.
    """

    channel: int | None = None
    raw: RawSettings | None = None
    picture: bool = False


@dataclass
class Told:
    """What was said of one file.

    Attributes:
        events: from start to end; decisions only where the job keeps them.
        warnings: what was logged meanwhile in another process.
        picture: PNG, where one was asked for.
        problem: why it could not be recognised, or not to its end.
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
        path: the file; or a URL, or ``-``: standard input.
        channel: which channel, counted from 0; None for the mean of all.
        speed: times real time; 0 does not wait.
        sinks: get the events.
        stop: ends the sound as soon as it is set.
        name: in the events; the path if not named.
        raw: what samples without a header are.
        audio_sinks: get the sound.
        opened: called with the open file.

    Raises:
        InputError: it cannot be read, or is too short.
    """
    with AudioFile(path, channel, raw) as audio:
        opened(audio)
        end = session.run(PacedSource(audio, speed, stop, name), sinks, audio_sinks)
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
    """Recognise a file for further sinks, and tell what was said of it."""
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
    result.events = kept.events
    if pictures and session.statistics.decisions and result.events and not stop.is_set():
        result.picture = pictures[0].png()
    return result


def at_once(job: FileJob, paths: list[str], jobs: int, stopped: Callable[[], bool]) -> Iterator[tuple[str, Told]]:
    """What is said of files by several processes, in the order of the files."""
    return in_processes(partial(_elsewhere, job), paths, jobs, stopped, _killed, ordered=True)


def _elsewhere(job: FileJob, path: str) -> Told:
    with _warnings() as warnings:
        try:
            result = told(job, job.session(), path, threading.Event())
        except (OSError, ValueError, RuntimeError) as error:  # a decoder's own, of a file that it was not made for
            result = Told(problem=InputError(f"{path} cannot be decoded ({type(error).__name__}: {error})"))
    result.warnings = warnings
    return result


def _killed(path: str) -> Told:
    return Told(problem=InputError(f"{path}: {DEADLY}"))


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What is logged meanwhile: the process that prints warnings is another one."""
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
