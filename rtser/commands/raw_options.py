"""Options that say what samples without a header are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.settings import RawSettings

Format = Literal["s16le", "s16be", "s32le", "f32le", "mulaw", "alaw"]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="What samples without a header are; also say --rate and --channels.")
]
RateOption = Annotated[int | None, typer.Option("--rate", help="Of samples without a header, in Hz; 16000.")]
ChannelsOption = Annotated[
    int | None, typer.Option("--channels", help="How many channels samples without a header have; 1.")
]


def raw_settings(
    format_: str | None, rate: int | None, channels: int | None, needed: bool = False
) -> RawSettings | None:
    """What `--format`, `--rate` and `--channels` say; None where no format is named and none is `needed`.

    Raises:
        InputError: one of them is out of range, or is named without a format where none is needed.
    """
    from rtser.settings import RawSettings, checked

    given = {"format": format_, "rate": rate, "channels": channels}
    given = {name: value for name, value in given.items() if value is not None}
    if format_ is None and not needed:
        if given:
            raise InputError(f"--{min(given)} is for samples without a header", "name their --format too")
        return None
    return checked(RawSettings, given, "samples without a header")
