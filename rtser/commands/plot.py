"""``rtser plot``: what the model recognises in a recording, as a picture or a web page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtser.commands.options import ChannelOption, Recognition, keep_apart, make_session, with_recognition
from rtser.commands.process import failures, packages, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.audio.source import Source
    from rtser.session import Session
    from rtser.settings import ListenSettings
    from rtser.ui.track import Track

PAGES = (".html", ".htm")


@with_recognition
def plot(
    options: Recognition,
    recording: Annotated[Path, typer.Argument(help="Audio file.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Picture to write (.png, .svg or .pdf), or web page that plays the recording (.html).",
        ),
    ],
    start: Annotated[
        float | None,
        typer.Option(help="Second at which the picture begins; the recording's start if not given.", min=0),
    ] = None,
    end: Annotated[
        float | None, typer.Option(help="Second at which the picture ends; the recording's end if not given.", min=0)
    ] = None,
    channel: ChannelOption = None,
) -> None:
    """Draw what the model recognises in a recording.

    A picture covers two minutes at most. It shows segment posteriors, waveform, log-Mel frames and attention, and the
    decision that `rtser file` makes: probabilities, the emotion named at each moment, and utterances. A page shows the
    decision on a recording of any length; click on it to play the recording from there.

    Examples:
        rtser plot call.wav -o call.png
        rtser plot call.wav -o call.svg --start 10 --end 20
        rtser plot call.wav -o call.html
    """
    single_threaded()
    with failures(), quiet_libraries():
        settings = options.of_files(channel)
        if start is not None and end is not None and end <= start:
            raise InputError(f"--end {end:g} is not after --start {start:g}", "name a later end")
        keep_apart([output], [recording, settings.model, options.config])
        if output.suffix.lower() not in PAGES:
            with packages("plot"):
                _draw(settings, recording, output, start or 0.0, end)
        elif start is not None or end is not None:
            raise InputError("--start and --end are for pictures", "leave them out, because a page can be zoomed")
        else:
            _write_page(settings, recording, output)
        typer.echo(output)


def _draw(settings: ListenSettings, recording: Path, output: Path, start: float, end: float | None) -> None:
    from rtser.audio.file import read_audio
    from rtser.audio.source import MemorySource, split
    from rtser.engine.contract import SAMPLE_RATE
    from rtser.ui.plot import draw, recognise_whole, save

    session = make_session(settings)
    samples = read_audio(recording, settings.channel)
    first = round(start * SAMPLE_RATE)
    if first and first >= len(samples):
        ends = f"the recording ends at {len(samples) / SAMPLE_RATE:.1f} s"
        raise InputError(f"--start {start:g}: {ends}", "name an earlier start")
    part = samples[first : None if end is None else max(first, round(end * SAMPLE_RATE))]
    recognised = recognise_whole(session.model, part)
    track = _decided(session, settings, MemorySource(split(samples, SAMPLE_RATE), recording.name))
    save(draw(recognised, track, f"{recording.name} by {session.model.metadata.name}", start), output)


def _write_page(settings: ListenSettings, recording: Path, output: Path) -> None:
    from rtser.audio.file import AudioFile
    from rtser.files import replacing
    from rtser.ui.call_page import call_page
    from rtser.ui.page import sound_link

    session = make_session(settings)
    with AudioFile(recording, settings.channel) as audio:
        track = _decided(session, settings, audio)
    page = call_page(track, sound_link(str(recording), output.parent), session.model.metadata.name)
    with replacing(output) as part:
        part.write_text(page, encoding="utf-8")


def _decided(session: Session, settings: ListenSettings, source: Source) -> Track:
    """The decisions on a recording, as `rtser file` makes them."""
    from rtser.ui.track import Track

    track = Track(session.labels, settings.decide.thresholds(session.model.metadata.label_threshold)[0])
    session.run(source, [track])
    if not len(track.times):
        raise InputError(f"{source.name} is too short to decide (a segment lasts 0.335 s)")
    return track
