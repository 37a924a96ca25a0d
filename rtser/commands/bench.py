"""``rtser bench``: measure how fast this machine is."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from rtser.commands.options import ModelOption, ProviderOption, make_session, recognition
from rtser.commands.process import failures, one_core, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.commands.signals import signals
from rtser.errors import InputError

FiguresOption = Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")]


def live(
    seconds: Annotated[float, typer.Option(help="How long to measure.", min=1)] = 30.0,
    device: Annotated[
        str | None, typer.Option("--device", help="Measure a real device instead of the paced sample.")
    ] = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: FiguresOption = False,
) -> None:
    """Measure one stream in real time: the delay from a segment's last sample to its decision, CPU share and memory.

    Examples:
        rtser bench live
        rtser bench live --seconds 10 --json
    """
    single_threaded()
    with failures() as fail, signals(fail.say) as asked:
        from rtser.bench import floor, live, report

        session = make_session(recognition(model, provider).settings(), kept_times=None)
        figures = live.measure(session, seconds, device, asked.stop)
        figures["floor"] = floor.measure_floor(session.model).figures(session.statistics.step_ms()["p50"])
        _show(figures, json, report.live_rows)
        if not figures["decisions"]:
            fail.note(InputError("no decision was made in this time", "measure longer, or check the device"))


def streams(
    seconds: Annotated[float, typer.Option(help="Length of each trial, after 2 s to warm up.", min=1)] = 20.0,
    most: Annotated[int, typer.Option("--max", help="Largest number of streams to try.", min=1)] = 4096,
    number: Annotated[
        int | None, typer.Option("--streams", help="Measure this number of streams, without a search.", min=1)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Folder of audio files to stream, instead of the bundled sample.")
    ] = None,
    chunk: Annotated[int, typer.Option(help="Milliseconds of sound in a push: 60, 30, 20 or 10.")] = 60,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: FiguresOption = False,
) -> None:
    """Measure how many real-time streams one core can serve, and what each costs.

    The number of streams doubles until the 99th percentile of the decisions' lateness exceeds 60 ms, or until the core
    is always busy. A bisection then finds the limit. Decisions are arrays with one row per stream (rtser.Bank); no
    events are made.

    Examples:
        rtser bench streams
        rtser bench streams --streams 100 --json
    """
    single_threaded()
    with failures(), quiet_libraries():
        one_core()
        from rtser.bench import floor, report, streams

        loaded = _load(model, provider)
        if not json:
            typer.echo(report.TRIAL_HEAD)
        tell = (lambda _: None) if json else (lambda trial: typer.echo(report.trial_line(trial)))
        figures = streams.measure(loaded, seconds, number, most, folder, chunk, tell)
        hop_us: Any = figures["hop_us"]
        figures["floor"] = floor.measure_floor(loaded).figures(hop_us["all"] / 1000)
        _show(figures, json, report.streams_rows)


def file(
    path: Annotated[
        Path | None, typer.Argument(help="Audio file; the bundled sample if not given.", show_default=False)
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Minutes of sound, by repeating the file; if not given, 5 for the sample, and a file once.", min=0.01
        ),
    ] = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: FiguresOption = False,
) -> None:
    """Measure one recording on one core, unpaced: its speed as a multiple of real time, and its peak memory.

    Examples:
        rtser bench file
        rtser bench file call.wav
    """
    single_threaded()
    with failures(), quiet_libraries():
        one_core()
        from rtser.bench import file, floor, report

        session = make_session(recognition(model, provider).settings(), kept_times=None)
        figures = file.measure(session, path, minutes)
        figures["floor"] = floor.measure_floor(session.model).figures(session.statistics.step_ms()["p50"])
        _show(figures, json, report.file_rows)


def start(
    rounds: Annotated[int, typer.Option(help="How often each kind of process is started.", min=1)] = 5,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: FiguresOption = False,
) -> None:
    """Measure the time from the shell to the first decision in new processes, and their peak memory.

    Examples:
        rtser bench start --rounds 3
    """
    single_threaded()  # the children inherit it
    with failures():
        from rtser.bench import start

        given = {"--model": model, "--provider": provider}
        options = [str(one) for pair in given.items() if pair[1] is not None for one in pair]
        figures = start.measure(rounds, options)
        if json:
            typer.echo(dumps(figures))
        else:
            from rtser.bench import report

            typer.echo(report.lines(report.start_rows(figures)))


def _load(model: Path | None, provider: Any) -> Any:
    from rtser.models import load

    settings = recognition(model, provider).settings()
    return load(settings.model, settings.provider)


def _show(figures: dict[str, object], json: bool, rows: Any) -> None:
    """Print figures as JSON, or as rows with a note on how to read the floor."""
    if json:
        typer.echo(dumps(figures))
        return
    from rtser.bench.report import HOW_TO_READ, lines

    typer.echo(lines(rows(figures)))
    floor = figures["floor"]
    if isinstance(floor, dict) and floor.get("hop_ms") is not None:
        typer.echo(f"\n{HOW_TO_READ}")
