"""``rtser adapt``: your own model, from a model file and a few labelled recordings."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from rtser.choices import Provider
from rtser.commands.completion import model_names
from rtser.commands.corpora import CorpusOption, DataOption, corpus_places
from rtser.commands.model_files import PLAIN_VOICE, check_model_name, exported
from rtser.commands.options import keep_apart
from rtser.commands.process import failures, packages, sleeping_threads
from rtser.commands.quiet import quiet_exporter
from rtser.errors import InputError, OutputError


def adapt(
    model: Annotated[
        Path,
        typer.Argument(
            help="Model file to start from; `default` is the shipped one.",
            show_default=False,
            autocompletion=model_names,
        ),
    ],
    recordings: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="CSV table (path, emotion, speaker), folder of an audformat database, or name of a corpus.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write; its card is written beside it.")],
    test: Annotated[
        str | None,
        typer.Option("--test", help="Speakers to test on, separated by commas; the model is adapted on the others."),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            "--merge", help="OWN=MODEL: count an emotion of the recordings as one of the model's; repeatable."
        ),
    ] = None,
    noise: Annotated[
        Path | None, typer.Option("--noise", help="Folder of recordings without speech, mixed into the others.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Epochs to train; if not given, the number that measured best.", min=1),
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.", min=0, max=2**32 - 1)] = 1,
    device: Annotated[Provider, typer.Option("--device", help="Where networks are trained.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; one per core if not given.", min=1)] = None,
) -> None:
    """Adapt a model to your own recordings, and measure on left-out speakers whether that helps.

    Examples:
        rtser adapt default mine.csv -o mine.onnx
        rtser adapt default mine.csv -o mine.onnx --test anna,ben
    """
    sleeping_threads()
    with failures(interruptible=True), packages("train"), quiet_exporter():
        from rtser_train.adapting.adapt import adapt as adapted
        from rtser_train.adapting.adapt import card_of, write
        from rtser_train.adapting.recipe import EPOCHS, experiment_of
        from rtser_train.adapting.recordings import load_shared
        from rtser_train.export.start import read_start
        from rtser_train.fitting.context import FitContext
        from rtser_train.fitting.devices import chosen_device
        from rtser_train.fitting.threads import threads as using_threads
        from rtser_train.progress import ProgressReporter

        from rtser.cores import cores
        from rtser.models import default_model_path

        path = default_model_path() if str(model) == "default" and not model.exists() else model
        ((name, root),) = corpus_places([recordings], data, corpus).items()
        card = card_of(output)
        keep_apart([output, card], [path, root])
        writable(output, card)
        start, reporter = read_start(path), ProgressReporter()
        experiment = experiment_of(
            start, output.stem, name, merged(merge), noise.resolve().name if noise else None, epochs or EPOCHS
        )
        context = FitContext(experiment, seed, chosen_device(device), reporter)
        tested = [one.strip() for one in (test or "").split(",") if one.strip()]
        with using_threads(threads or cores()):
            bags, heard = load_shared(experiment, root, noise, reporter)
            networks, adaptation = adapted(start, bags, heard, tested, context)
            metadata, difference = write(networks, adaptation, output, shlex.join(["rtser", *sys.argv[1:]]))
        typer.echo(adaptation.table())
        typer.echo(f"\n{exported(output, metadata, difference)}")
        typer.echo(PLAIN_VOICE)
        typer.echo(f"its card: {card}")
        typer.echo(adaptation.verdict())


def merged(merge: list[str] | None) -> dict[str, str]:
    """Each emotion of the recordings with the model's emotion for it; raises InputError if one is not OWN=MODEL."""
    pairs = {}
    for given in merge or []:
        own, equals, its = (part.strip() for part in given.partition("="))
        if not (own and equals and its):
            raise InputError(
                f"--merge {given}: this does not name two emotions", "write OWN=MODEL, such as anger=angry"
            )
        pairs[own] = its
    return pairs


def writable(output: Path, card: Path) -> None:
    """Check before the work starts that a model and its card can be written, and that they overwrite no other file.

    Raises:
        InputError: the model's name does not end in .onnx, or a file beside it has the card's name but may be no card.
        OutputError: the folder cannot be written.
    """
    check_model_name(output)
    if card.exists() and not output.exists():
        raise InputError(f"the model's card would overwrite {card}", "name another file with --output")
    if output.is_dir():
        raise OutputError(f"{output} is a folder", "name a file with --output")
    output.parent.mkdir(parents=True, exist_ok=True)
