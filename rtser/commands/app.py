"""The command line."""

from __future__ import annotations

import os

# Read when numpy is imported; a live step is too small to split over threads.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rtser.commands.process import complain, failures, signals
from rtser.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from rtser.events import Event
    from rtser.recogniser import Recogniser
    from rtser.settings import ListenSettings
    from rtser.sinks import Sink

app = typer.Typer(
    help="Recognise emotion in speech as it is spoken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
bench = typer.Typer(help="Measure how fast this machine is.", no_args_is_help=True)
app.add_typer(bench, name="bench")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="YAML file of settings; configs/listen.yaml explains each.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="key=value: any setting, as decide.hold_s=1; repeatable.")
]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Model file; the shipped one if not named.")]
WindowOption = Annotated[
    float | None, typer.Option("--window", help="Seconds over which is decided; the model's own if not named.")
]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Input device: its name, part of it, or its index (rtser devices).")
]
ChannelOption = Annotated[int | None, typer.Option("--channel", help="Channel to hear, from 0; else the mean of all.")]
Provider = Literal["auto", "cpu", "cuda"]
ProviderOption = Annotated[
    Provider | None, typer.Option("--provider", help="Where the network runs; auto if not named.")
]
ConfidenceOption = Annotated[
    float | None,
    typer.Option("--min-confidence", help="Below it no emotion is named, 0 to 1; the model's own if not named."),
]
SmoothingOption = Annotated[
    float | None, typer.Option("--smoothing", help="Seconds over which the probabilities are averaged; 0.3.")
]
SilenceOption = Annotated[
    float | None, typer.Option("--silence", help="Seconds of silence that end an utterance; 0.6.")
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Lines of text instead of the live view.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write events as JSON lines on standard output.")]


@app.command()
def file(
    paths: Annotated[
        list[Path], typer.Argument(help="Audio files: wav, flac, ogg, opus, mp3, ...", show_default=False)
    ],
    stream: Annotated[bool, typer.Option("--stream", help="Pace in real time and show the live view.")] = False,
    speed: Annotated[
        float | None, typer.Option(help="As --stream, at so many times real time; 0 does not wait.", min=0)
    ] = None,
    json: JsonOption = False,
    plain: PlainOption = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write every decision to this CSV file.")] = None,
    model: ModelOption = None,
    window: WindowOption = None,
    min_confidence: ConfidenceOption = None,
    smoothing: SmoothingOption = None,
    silence: SilenceOption = None,
    channel: ChannelOption = None,
    provider: ProviderOption = None,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Recognise emotion in audio files."""
    live = stream or speed is not None
    with failures() as fail, signals() as asked:
        given = _recognition(model, provider, channel, window, min_confidence, smoothing, silence)
        settings = _settings(config, set_, given)
        _keep_apart([csv], [*paths, settings.model, config])
        recogniser = _recogniser(settings)
        outputs = [_view(recogniser, json, live and not (plain or settings.plain))]
        if csv:
            from rtser.sinks.csv import CsvTable
            from rtser.sinks.log_file import LogFile

            labels = recogniser.model.labels
            outputs.append(CsvTable(LogFile(csv, header=CsvTable.header(labels), append=False), labels))
        with delivering(outputs) as write:
            for path in paths:
                if asked.stop.is_set():
                    break
                try:
                    recogniser.hear_file(path, _speed(live, speed), write, asked.stop)
                except InputError as error:
                    fail(error)


@app.command()
def demo(
    json: JsonOption = False,
    plain: PlainOption = False,
    speed: Annotated[float, typer.Option(help="Times real time; 0 does not wait.", min=0)] = 1.0,
    model: ModelOption = None,
    provider: ProviderOption = None,
) -> None:
    """Recognise the bundled sample (synthetic speech): no file and no microphone needed."""
    from rtser.audio.file import sample_path

    with failures(), signals() as asked:
        recogniser = _recogniser(_settings(None, None, _recognition(model, provider)))
        with delivering([_view(recogniser, json, live=not plain)]) as write:
            recogniser.hear_file(sample_path(), speed, write, asked.stop, name=sample_path().name)


@app.command()
def listen(
    json: JsonOption = False,
    plain: PlainOption = False,
    device: DeviceOption = None,
    channel: Annotated[
        int | None, typer.Option("--channel", help="Channel to hear, from 0; else the mean of the first two.")
    ] = None,
    model: ModelOption = None,
    window: WindowOption = None,
    min_confidence: ConfidenceOption = None,
    smoothing: SmoothingOption = None,
    silence: SilenceOption = None,
    provider: ProviderOption = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", help="Append events to this file, renamed when large.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Append decisions to this table, renamed when large.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Folder for the sound around each utterance, as FLAC.")
    ] = None,
    save_audio: Annotated[
        Path | None, typer.Option("--save-audio", help="Write everything heard to this WAV file.")
    ] = None,
    max_lag: Annotated[
        float | None, typer.Option("--max-lag", help="Milliseconds; later than this, sound is skipped; 500.")
    ] = None,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Recognise emotion in what a microphone hears, until interrupted."""
    with failures(), signals(daemon=True) as asked:
        given = _recognition(model, provider, channel, window, min_confidence, smoothing, silence)
        given |= {"device": device, "source": {"max_lag_ms": max_lag}}
        given["outputs"] = {"jsonl": jsonl, "csv": csv, "record": record, "save_audio": save_audio}
        settings = _settings(config, set_, given)
        from rtser.audio.microphone import MicrophoneOpener
        from rtser.audio.supervisor import Supervisor
        from rtser.sinks.build import daemon_sinks, heard

        outputs = settings.outputs
        _keep_apart([outputs.jsonl, outputs.csv, outputs.save_audio], [settings.model, config])
        recogniser = _recogniser(settings)
        opener = MicrophoneOpener(settings.device, settings.channel, settings.source.ring_s)
        with ExitStack() as opened:
            logs, taps = daemon_sinks(outputs, recogniser.model.labels, complain, asked.reopen)
            view = _view(recogniser, json, live=not (plain or settings.plain))
            write = opened.enter_context(delivering([*logs, view]))
            watched = Supervisor(opener, settings.source, recogniser.vitals, asked.stop, settings.channel)
            microphone = opened.enter_context(watched)
            if asked.stop.is_set():
                return
            source = microphone.source
            pieces = heard(microphone.pieces(), taps)
            for event in recogniser.events(pieces, source.name, source.sample_rate, microphone.lag_s):
                write(event)


@app.command()
def devices(json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False) -> None:
    """List the audio input devices."""
    with failures():
        from dataclasses import asdict

        from rtser.audio.microphone import devices as input_devices
        from rtser.audio.microphone import rates
        from rtser.audio.timeouts import answered

        found = answered(lambda: {device: rates(device) for device in input_devices()})
        if json:
            from json import dumps

            typer.echo(dumps([asdict(device) | {"rates": possible} for device, possible in found.items()], indent=2))
        else:
            from rtser.ui.tables import show_devices

            show_devices(_console(), found)


@app.command()
def doctor(
    device: DeviceOption = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: Annotated[bool, typer.Option("--json", help="The checks as JSON.")] = False,
) -> None:
    """Check the audio library, the devices, the model, the clock and the speed of this machine, and say what to do."""
    with failures():
        from rtser.bench.doctor import examine, tell

        code = tell(examine(device, model, provider or "auto"), json)
    raise typer.Exit(code)


@bench.command("live")
def bench_live(
    seconds: Annotated[float, typer.Option(help="How long to measure.", min=1)] = 30.0,
    device: Annotated[str | None, typer.Option("--device", help="A real device instead of the paced sample.")] = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Measure, paced in real time: from a segment's last sample to its event, CPU share and memory."""
    with failures(), signals() as asked:
        from rtser.bench.live import live, tell

        recogniser = _recogniser(_settings(None, None, _recognition(model, provider)))
        tell(live(recogniser, seconds, device, asked.stop), json)


@app.command()
def info(
    path: Annotated[
        Path | None, typer.Argument(help="Model file; the shipped one if not named.", show_default=False)
    ] = None,
    model: ModelOption = None,
    json: Annotated[bool, typer.Option("--json", help="The metadata as JSON.")] = False,
) -> None:
    """Say what a model file is: labels, features, corpora, licence, measures, limits."""
    with failures():
        from rtser.engine.model import Model

        loaded = Model(path or model, "cpu")
        if json:
            typer.echo(loaded.metadata.to_json())
        else:
            from rtser.ui.tables import show_model

            show_model(_console(), loaded)


@app.command()
def plot(
    recording: Annotated[Path, typer.Argument(help="Audio file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write (.png, .svg or .pdf).")],
    model: ModelOption = None,
    start: Annotated[float, typer.Option(help="Seconds from which to plot.", min=0)] = 0.0,
    end: Annotated[float | None, typer.Option(help="Seconds until which to plot; the end if not named.")] = None,
    channel: ChannelOption = None,
) -> None:
    """Draw what the model hears in a recording: segment posteriors, waveform, log-Mel, attention, decision."""
    with failures(), packages("plot"):
        from rtser.audio.file import read_audio
        from rtser.engine.features import SAMPLE_RATE
        from rtser.engine.model import Model
        from rtser.ui import plot as figures

        _keep_apart([output], [recording, model])
        loaded = Model(model, "cpu")
        samples = read_audio(recording, channel)[round(start * SAMPLE_RATE) :]
        if end is not None:
            samples = samples[: max(0, round((end - start) * SAMPLE_RATE))]
        figures.save(figures.draw(figures.hear(loaded, samples), f"{recording.name} by {loaded.metadata.name}"), output)
        typer.echo(output)


DataOption = Annotated[Path, typer.Option("--data", help="Folder that holds each corpus under its own name.")]
CorpusOption = Annotated[
    list[str] | None, typer.Option("--corpus", help="NAME=PATH: where one corpus lies; repeatable.")
]
HeadOption = Annotated[
    str | None, typer.Option("--head", help="Which network on bags (feature-att, ...); the run's first if not named.")
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a training run.", show_default=False)]


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="YAML file, or the name of a shipped one: default, debug.")] = Path(
        "default"
    ),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The run's folder; runs/NAME if not named.")
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value: change a setting; repeatable.")] = None,
    seed: Annotated[int | None, typer.Option(help="One seed instead of the configuration's.", min=0)] = None,
    folds: Annotated[
        str | None, typer.Option("--folds", help="Only these: their names with commas (1,2 or final).")
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where networks are trained.")
    ] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Folds trained at the same time; one a core if not named.", min=1)
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads a fold; one, or all cores for a single fold, if not named.", min=1)
    ] = None,
    dask: Annotated[str | None, typer.Option("--dask", help="Train on the workers of this Dask scheduler.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--new", help="Go on with a run that was broken off; --new refuses to.")
    ] = True,
) -> None:
    """Train an experiment; a run that was broken off goes on where it stopped."""
    with failures(), packages("train"):
        from rtser_train.config import load_experiment
        from rtser_train.fitting.crossval import Workers
        from rtser_train.fitting.crossval import train as train_experiment
        from rtser_train.fitting.devices import chosen_device
        from rtser_train.progress import ProgressReporter

        changes = [*(set_ or []), *([f"seeds=[{seed}]"] if seed is not None else [])]
        experiment = load_experiment(config, changes)
        run = output or Path("runs") / experiment.name
        if not resume and run.exists():
            raise InputError(f"{run} exists; name another folder with --output, or leave --new out to go on with it.")
        workers = Workers(chosen_device(device), jobs, threads, dask)
        names = [name.strip() for name in (folds or "").split(",") if name.strip()]
        train_experiment(experiment, _roots(experiment.sources, data, corpus), run, names, ProgressReporter(), workers)
        typer.echo(
            f"trained: {run}; next: rtser evaluate {run}; with the same --data or --corpus: rtser export {run} -o FILE",
            err=True,
        )


@app.command()
def evaluate(
    run: RunArgument,
    stream: Annotated[
        bool, typer.Option("--stream", help="Also stream the test files: UA against the seconds of speech heard.")
    ] = False,
    head: HeadOption = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
) -> None:
    """Print a run's tables as Markdown; they and the figures are written into its folder too."""
    with failures(), packages("train"):
        from rtser_train.evaluation.evaluate import evaluate as evaluate_run
        from rtser_train.evaluation.streaming import evaluate_streaming
        from rtser_train.evaluation.tables import write_evaluation, write_streaming
        from rtser_train.progress import ProgressReporter
        from rtser_train.run import Run

        trained = Run.open(run)
        head = trained.experiment.head(head)
        roots = _roots(trained.experiment.sources, data, corpus)
        typer.echo(write_evaluation(trained, evaluate_run(trained)))
        if stream:
            typer.echo(write_streaming(trained, head, evaluate_streaming(trained, head, roots, ProgressReporter())))


@app.command()
def export(
    run: RunArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")],
    head: HeadOption = None,
    fold: Annotated[
        str | None,
        typer.Option("--fold", help="Which fold's model; if not named the final one, or the first that is trained."),
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
) -> None:
    """Export a run's model as one file, verified against torch on real utterances."""
    with failures(), packages("train"):
        from rtser_train.export.package import export_run
        from rtser_train.run import Run

        trained = Run.open(run)
        roots = _roots(trained.experiment.sources, data, corpus)
        metadata, difference = export_run(trained, head, fold, roots, output)
        typer.echo(f"{output}: {metadata.name}, {', '.join(metadata.labels)}; at most {difference:.1e} from torch")


def _roots(names: list[str], data: Path, corpora: list[str] | None) -> dict[str, Path]:
    """Where each corpus lies."""
    roots = {name: (data.expanduser() / name).resolve() for name in names}
    for given in corpora or []:
        name, equals, path = given.partition("=")
        if not equals or name not in roots:
            raise InputError(f"--corpus {given}: write NAME=PATH, where NAME is one of {', '.join(roots)}.")
        roots[name] = Path(path).expanduser().resolve()
    return roots


@contextmanager
def packages(extra: str) -> Iterator[None]:
    """Say what to install where the packages of an extra are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = {"opensmile": "baseline", "distributed": "dask"}.get(error.name or "", extra)
        how = f"pip install -c constraints.txt '.[{extra}]'"
        raise InputError(f"this needs the package {error.name}; in the checkout: {how}.") from None


@contextmanager
def delivering(sinks: list[Sink]) -> Iterator[Callable[[Event], None]]:
    """Yield the function that hands an event to every sink; close them all in the end."""
    with ExitStack() as opened:
        for sink in sinks:
            opened.callback(sink.close)

        def write(event: Event) -> None:
            for sink in sinks:
                sink.write(event)

        yield write


def _settings(config: Path | None, changes: list[str] | None, options: dict[str, Any]) -> ListenSettings:
    """The file's settings, changed by --set, then by the options that were given."""
    from rtser.settings import ListenSettings, checked, read_settings

    content = read_settings(config, changes or [])
    _overlay(content, options)
    return checked(ListenSettings, content, f"configuration {config}" if config else "settings")


def _overlay(content: dict[str, Any], options: dict[str, Any]) -> None:
    for name, value in options.items():
        if isinstance(value, dict):
            given = {key: one for key, one in value.items() if one is not None}
            if given:
                inner = content.setdefault(name, {})
                content[name] = (inner | given) if isinstance(inner, dict) else inner
        elif value is not None:
            content[name] = value


def _recognition(
    model: Path | None = None,
    provider: Provider | None = None,
    channel: int | None = None,
    window: float | None = None,
    min_confidence: float | None = None,
    smoothing: float | None = None,
    silence: float | None = None,
) -> dict[str, Any]:
    """The settings that the options of these names stand for."""
    decide = {"enter_confidence": min_confidence, "smoothing_s": smoothing, "silence_s": silence}
    return {"model": model, "provider": provider, "channel": channel, "window_s": window, "decide": decide}


def _keep_apart(outputs: list[Path | None], inputs: list[Path | None]) -> None:
    """See that no file is written twice, or written and read."""
    taken = {path.resolve(): "read" for path in inputs if path is not None}
    for output in outputs:
        if output is not None:
            if output.resolve() in taken:
                raise InputError(
                    f"{output} would overwrite what is to be {taken[output.resolve()]}; name another file."
                )
            taken[output.resolve()] = "written"


def _recogniser(settings: ListenSettings) -> Recogniser:
    from rtser.recogniser import Recogniser

    return Recogniser(settings)


def _console() -> Console:
    from rich.console import Console

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leave a closed pipe to `failures`; Rich would end the program here, with another code."""
            raise BrokenPipeError

    return OwnConsole(highlight=False)


def _view(recogniser: Recogniser, json: bool, live: bool) -> Sink:
    """What shows the events: JSON, the live view, or a table where output is no terminal or none is wanted."""
    if json:
        from rtser.sinks.jsonl import JsonLines

        return JsonLines(sys.stdout)
    console, labels = _console(), recogniser.model.labels
    if live and console.is_terminal and not console.is_dumb_terminal:
        from rtser.ui.live import LiveView

        return LiveView(console, labels, recogniser.vitals, recogniser.window)
    from rtser.ui.lines import Timeline

    return Timeline(console, labels)


def _speed(live: bool, speed: float | None) -> float:
    """Times real time, 0 for as fast as the machine can: real time with --stream alone."""
    if speed is not None:
        return speed
    return 1.0 if live else 0.0
