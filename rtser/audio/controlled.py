"""Sound that a person pauses, or lets begin anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtser.audio.source import Chunk, Gap
from rtser.controls import Controls
from rtser.engine.contract import SAMPLE_RATE


def controlled(chunks: Iterable[Chunk], controls: Controls) -> Iterator[Chunk]:
    """The chunks of a source, with a gap where it is paused or begins anew. Paused sound is read and thrown away.

    A source that waits while it is paused (`Controls.holds`) loses nothing, and has no gap. A new beginning that was
    asked for before the source began has no effect.
    """
    controls.take_restart()
    paused, passed = False, 0
    for chunk in chunks:
        anew, wanted = controls.take_restart(), controls.paused and not controls.holds
        if paused and not wanted:
            yield from _pause(passed)
            paused, passed = False, 0
        elif wanted and not paused:
            yield Gap("skipped", "paused")
            paused = True
        elif anew and not paused:
            yield Gap("skipped", "started anew")
        if not paused:
            yield chunk
        elif isinstance(chunk, Gap):
            yield from _pause(passed)
            yield chunk
            passed = 0
        else:
            passed += len(chunk)
    yield from _pause(passed)


def _pause(samples: int) -> Iterator[Gap]:
    """The gap of so many samples, if there are any."""
    if samples:
        yield Gap("skipped", f"paused for {samples / SAMPLE_RATE:.1f} s", samples)
