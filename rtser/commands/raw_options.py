"""Options that describe samples without a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rtser.choices import SampleFormat
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.settings import RawSettings

FormatOption = Annotated[
    SampleFormat | None,
    typer.Option("--format", help="Sample format of sound without a header; see also --rate and --channels."),
]
RateOption = Annotated[
    int | None, typer.Option("--rate", help="Sample rate of sound without a header, in Hz; default 16000.")
]
ChannelsOption = Annotated[
    int | None, typer.Option("--channels", help="Number of channels of sound without a header; default 1.")
]


def raw_settings(
    format_: str | None, rate: int | None, channels: int | None, needed: bool = False
) -> RawSettings | None:
    """The values of `--format`, `--rate` and `--channels`; None if no format is given and none is `needed`.

    Raises:
        InputError: one of them is out of range, or is given without a format where no format is needed.
    """
    from rtser.settings import RawSettings, checked

    given = {"format": format_, "rate": rate, "channels": channels}
    given = {name: value for name, value in given.items() if value is not None}
    if format_ is None and not needed:
        if given:
            raise InputError(f"--{min(given)} is for samples without a header", "give their --format too")
        return None
    return checked(RawSettings, given, "samples without a header")
