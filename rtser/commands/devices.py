"""``rtser devices`` and ``rtser doctor``: this machine's microphones, and whether all is ready to listen."""

from __future__ import annotations

from dataclasses import asdict
from json import dumps
from typing import Annotated

import typer

from rtser.commands.options import DeviceOption, ModelOption, ProviderOption
from rtser.commands.output import make_console
from rtser.commands.process import failures, single_threaded


def devices(json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False) -> None:
    """List the audio input devices.

    Examples:
        rtser devices
        rtser devices --json
    """
    with failures():
        from rtser.audio.devices import list_devices, sample_rates
        from rtser.audio.timeouts import call_with_timeout

        found = call_with_timeout(lambda: {device: sample_rates(device) for device in list_devices()})
        if json:
            typer.echo(dumps([asdict(device) | {"rates": rates} for device, rates in found.items()], indent=2))
        elif not found:
            typer.echo("There is no audio input device; connect a microphone (rtser doctor helps).")
        else:
            from rtser.ui.tables import show_rows

            names = ("index", "name", "host API", "channels", "own rate", "rates (kHz)", "")
            right = ("index", "channels", "own rate")
            rows = [
                [
                    str(device.index),
                    device.name,
                    device.host_api,
                    str(device.channels),
                    f"{device.sample_rate / 1000:g}",
                    " ".join(f"{rate / 1000:g}" for rate in rates),
                    "default" if device.default else "",
                ]
                for device, rates in found.items()
            ]
            show_rows(make_console(), {name: "right" if name in right else "left" for name in names}, rows)


def doctor(
    device: DeviceOption = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check the audio library, the devices, the model, the clock and the speed of this machine, and give advice.

    Examples:
        rtser doctor
        rtser doctor --device usb
    """
    single_threaded()
    with failures() as fail:
        from rtser.bench.doctor import examine, failure

        checks = []
        for check in examine(device, model, provider or "auto"):
            checks.append(check)
            if not json:
                typer.echo(f"{'ok  ' if check.well else 'FAIL'} {check.name:<14} {check.finding}")
                if not check.well:
                    typer.echo(f"{'':<19} -> {check.advice}")
        if json:
            typer.echo(dumps([asdict(check) for check in checks], indent=2))
        if error := failure(checks):
            fail.note(error)
