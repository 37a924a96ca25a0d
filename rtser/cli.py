"""The command line."""

from __future__ import annotations

import os

# Read when numpy is imported; a live step is too small to split over threads.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rtser.errors import InputError, RtserError

if TYPE_CHECKING:
    from rich.console import Console

    from rtser.events import Event
    from rtser.model import Model
    from rtser.sinks import Sink
    from rtser.stream import Stream

INTERRUPTED = 130

app = typer.Typer(
    help="Recognise emotion in speech as it is spoken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ModelOption = Annotated[Path | None, typer.Option("--model", help="Model file; the shipped one if not named.")]
WindowOption = Annotated[
    float | None, typer.Option("--window", help="Seconds over which is decided; the model's own if not named.")
]
ChannelOption = Annotated[int | None, typer.Option("--channel", help="Channel to hear, from 0; else the mean of all.")]
ProviderOption = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--provider", help="Where the network runs.")]
ConfidenceOption = Annotated[
    float | None,
    typer.Option("--min-confidence", help="Below it no emotion is named, 0 to 1; the model's own if not named."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write events as JSON lines on standard output.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Also write every decision to this CSV file.")]


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
    csv: CsvOption = None,
    model: ModelOption = None,
    window: WindowOption = None,
    min_confidence: ConfidenceOption = None,
    channel: ChannelOption = None,
    provider: ProviderOption = "auto",
) -> None:
    """Recognise emotion in audio files."""
    live = stream or speed is not None
    with failures() as fail, interruptible() as stop:
        if csv and any(csv.exists() and path.exists() and csv.samefile(path) for path in (*paths, model or csv.parent)):
            raise InputError(f"--csv {csv} would overwrite what is to be read; name another file.")
        loaded = _load(model, provider)
        hears = _stream(loaded, window, min_confidence)
        with sinks(loaded, json, csv, live) as write:
            for path in paths:
                if stop.is_set():
                    break
                try:
                    _recognise_file(path, channel, hears, _speed(live, speed), write, stop)
                except InputError as error:
                    fail(error)


@app.command()
def demo(
    json: JsonOption = False,
    speed: Annotated[float, typer.Option(help="Times real time; 0 does not wait.", min=0)] = 1.0,
    model: ModelOption = None,
    provider: ProviderOption = "auto",
) -> None:
    """Recognise the bundled sample (synthetic speech): no file and no microphone needed."""
    from importlib.resources import files

    sample = Path(str(files("rtser") / "samples" / "demo.flac"))
    with failures(), interruptible() as stop:
        loaded = _load(model, provider)
        with sinks(loaded, json, None, live=True) as write:
            _recognise_file(sample, None, _stream(loaded), speed, write, stop, name=sample.name)


@app.command()
def listen(
    json: JsonOption = False,
    csv: CsvOption = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Input device: part of its name, or its index.")
    ] = None,
    model: ModelOption = None,
    window: WindowOption = None,
    min_confidence: ConfidenceOption = None,
    channel: ChannelOption = None,
    provider: ProviderOption = "auto",
) -> None:
    """Recognise emotion in what a microphone hears, until interrupted."""
    with failures(), interruptible(daemon=True) as stop:
        from rtser.recognise import recognise
        from rtser.sources.microphone import Microphone

        loaded = _load(model, provider)
        stream = _stream(loaded, window, min_confidence)
        with Microphone(device, channel) as microphone, sinks(loaded, json, csv, live=True) as write:
            blocks = microphone.blocks(stop)
            about = microphone.name, microphone.sample_rate, lambda: microphone.dropped_samples
            for event in recognise(blocks, stream, *about):
                write(event)


@app.command()
def info(
    model: Annotated[
        Path | None, typer.Argument(help="Model file; the shipped one if not named.", show_default=False)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The metadata as JSON.")] = False,
) -> None:
    """Say what a model file is: labels, features, corpora, licence, measures, limits."""
    with failures():
        loaded = _load(model, "cpu")
        if json:
            typer.echo(loaded.metadata.to_json())
        else:
            from rtser.ui.card import show_model

            show_model(_console(), loaded)


DataOption = Annotated[Path, typer.Option("--data", help="Folder that holds each corpus under its own name.")]
CorpusOption = Annotated[
    list[str] | None, typer.Option("--corpus", help="NAME=PATH: where one corpus lies; repeatable.")
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
    seed: Annotated[int | None, typer.Option(help="Instead of the configuration's.")] = None,
    fold: Annotated[
        list[str] | None, typer.Option("--fold", help="Only this fold (1, 2, ..., final); repeatable.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; all cores if not named.", min=1)] = None,
) -> None:
    """Train an experiment; a run that was broken off goes on where it stopped."""
    with failures(), training():
        import torch

        from train.config import load_experiment
        from train.crossval import train as train_experiment
        from train.report import Reporter

        torch.set_num_threads(threads or os.cpu_count() or 1)
        changes = [*(set_ or []), *([f"seed={seed}"] if seed is not None else [])]
        experiment = load_experiment(config, changes)
        run = output or Path("runs") / experiment.name
        train_experiment(experiment, _roots(experiment.sources, data, corpus), run, fold or [], Reporter())
        typer.echo(
            f"trained: {run}; next, with the same --data or --corpus: rtser evaluate {run}, rtser export {run} -o FILE",
            err=True,
        )


@app.command()
def evaluate(
    run: RunArgument,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Also eGeMAPS + SVM on the same speakers.")] = False,
) -> None:
    """Measure a run on its test speakers, through the streaming engine, and print Markdown tables."""
    with failures(), training():
        from train.crossval import read_run
        from train.evaluate import as_markdown
        from train.evaluate import evaluate as evaluate_run
        from train.report import Reporter

        roots = _roots(read_run(run).sources, data, corpus)
        typer.echo(as_markdown(evaluate_run(run, roots, baseline, Reporter())))


@app.command()
def export(
    run: RunArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")],
    fold: Annotated[str | None, typer.Option("--fold", help="Which fold's model; the final one if not named.")] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
) -> None:
    """Export a run's model as one file, verified against torch on real utterances."""
    with failures(), training():
        from train.crossval import read_run
        from train.release import release

        metadata, difference = release(run, fold, _roots(read_run(run).sources, data, corpus), output)
        typer.echo(f"{output}: {metadata.name}, {', '.join(metadata.labels)}; at most {difference:.1e} from torch")


def _roots(names: list[str], data: Path, corpora: list[str] | None) -> dict[str, Path]:
    """Where each corpus lies."""
    roots = {name: data.expanduser() / name for name in names}
    for given in corpora or []:
        name, equals, path = given.partition("=")
        if not equals or name not in roots:
            raise InputError(f"--corpus {given}: write NAME=PATH, where NAME is one of {', '.join(roots)}.")
        roots[name] = Path(path).expanduser()
    return roots


@contextmanager
def training() -> Iterator[None]:
    """Say what to install where the training packages are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = "dev" if error.name == "opensmile" else "train"
        how = f"pip install -c constraints.txt '.[{extra}]'"
        raise InputError(f"this needs the package {error.name}; in the checkout: {how}.") from None


@contextmanager
def failures() -> Iterator[Callable[[RtserError], None]]:
    """End the program with one sentence and the right exit code, whatever goes wrong.

    Yields a function that notes a failure and lets the work go on; the program then ends with the first one's code.
    """
    noted: list[RtserError] = []
    _open_standard_streams()

    def note(error: RtserError) -> None:
        noted.append(error)
        _complain(str(error))

    try:
        yield note
        sys.stdout.flush()
    except RtserError as error:
        note(error)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _silence_standard_output()
        _complain("standard output was closed; stopped.")
    except OSError as error:
        if not error.filename:
            _silence_standard_output()
        note(InputError(f"{error.filename or 'standard output'}: {error.strerror or error}."))
    if noted:
        raise typer.Exit(noted[0].exit_code)


def _complain(sentence: str) -> None:
    """Write a sentence on standard error, as one line whatever stands in it; should that fail, go on."""
    with suppress(OSError):
        printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in sentence)
        typer.echo(f"rtser: {printable}", err=True)


def _open_standard_streams() -> None:
    """Make output possible where a stream is closed, or its encoding does not know a file's name."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _silence_standard_output() -> None:
    """Send what is still buffered nowhere, or Python complains when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def interruptible(daemon: bool = False) -> Iterator[threading.Event]:
    """Let the first SIGINT or SIGTERM end the sound, so that all events are written; a second SIGINT ends at once.

    Yields what is set by then. Leaves with exit code 130, but for the SIGTERM of a daemon, whose end that is.
    """
    stop = threading.Event()
    received: list[int] = []

    def end(number: int, _frame: object) -> None:
        received.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received and not (daemon and received[0] == signal.SIGTERM):
        raise KeyboardInterrupt


@contextmanager
def sinks(model: Model, json: bool, csv: Path | None, live: bool) -> Iterator[Callable[[Event], None]]:
    """Open what events go to, and yield the function that takes them."""
    with ExitStack() as opened:
        taking: list[Sink] = []

        def add(sink: Sink) -> None:
            taking.append(sink)
            opened.callback(sink.close)

        if csv:
            from rtser.sinks.csv import CsvTable

            add(CsvTable(csv, model.labels))
        if json:
            from rtser.sinks.jsonl import JsonLines

            add(JsonLines(sys.stdout))
        else:
            add(_view(_console(), model, live))

        def write(event: Event) -> None:
            for sink in taking:
                sink.write(event)

        yield write


def _console() -> Console:
    from rich.console import Console

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            """Leave a closed pipe to `failures`; Rich would end the program here, with another code."""
            raise BrokenPipeError

    return OwnConsole(highlight=False)


def _view(console: Console, model: Model, live: bool) -> Sink:
    if live and console.is_terminal:
        from rtser.ui.live import LiveView

        return LiveView(console, model.labels)
    from rtser.ui.table import Timeline

    return Timeline(console, model.labels)


def _speed(live: bool, speed: float | None) -> float:
    """Times real time, 0 for as fast as the machine can: real time with --stream alone."""
    if speed is not None:
        return speed
    return 1.0 if live else 0.0


def _load(path: Path | None, provider: Literal["auto", "cpu", "cuda"]) -> Model:
    from rtser.model import Model

    return Model(path, provider)


def _stream(model: Model, window: float | None = None, min_confidence: float | None = None) -> Stream:
    from rtser.stream import Stream

    try:
        return Stream(model, window, min_confidence)
    except ValueError as error:
        raise InputError(f"{error}.") from None


def _recognise_file(
    path: Path,
    channel: int | None,
    stream: Stream,
    speed: float,
    write: Callable[[Event], None],
    stop: threading.Event,
    name: str | None = None,
) -> None:
    from rtser.recognise import paced, recognise
    from rtser.sources.file import AudioFile

    stream.reset()
    decided = False
    with AudioFile(path, channel) as audio:
        for event in recognise(paced(audio.blocks(), speed, stop), stream, name or str(path), audio.sample_rate):
            write(event)
            decided |= event.type == "decision"
    if not decided and not stop.is_set():
        raise InputError(f"{path}: {stream.time_s:.3f} s of sound is too short to decide; a segment lasts 0.335 s.")
