"""``rtser train``, ``rtser evaluate`` and ``rtser export``. The training package is imported late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtser.choices import Provider
from rtser.commands.completion import experiment_names, experiment_setting_names
from rtser.commands.corpora import CorpusOption, DataOption, corpus_roots
from rtser.commands.model_files import PLAIN_VOICE, check_model_name, exported
from rtser.commands.options import set_option
from rtser.commands.process import failures, packages, sleeping_threads
from rtser.commands.quiet import quiet_exporter, quiet_workers
from rtser.errors import InputError

HeadOption = Annotated[
    str | None, typer.Option("--head", help="Network on bags, such as feature-att; the run's first if not given.")
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a training run.", show_default=False)]

SHIPPED = (
    "casia-loso, casia-random, debug, default, donor, emodb-loso, iemocap-loso, muon, ravdess-emobox, three-corpora"
)
"""The names of the shipped experiments."""
HEARS_NOTHING = (
    "This model hears no speech in any of the test utterances, so it will recognise nothing: train longer "
    "(--set cnn.fit.epochs=...), train on more recordings, or adapt the shipped model (rtser adapt default)."
)


def train(
    config: Annotated[
        Path,
        typer.Argument(help=f"YAML file, or the name of a shipped one: {SHIPPED}.", autocompletion=experiment_names),
    ] = Path("default"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run; runs/NAME if not given.")
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    set_: Annotated[list[str] | None, set_option("cnn.fit.epochs=3", experiment_setting_names)] = None,
    seed: Annotated[int | None, typer.Option(help="Use this seed instead of the configuration's.", min=0)] = None,
    folds: Annotated[
        str | None, typer.Option("--folds", help="Train only these folds: names separated by commas (1,2 or final).")
    ] = None,
    device: Annotated[Provider, typer.Option("--device", help="Where networks are trained.")] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Folds to train at the same time; one per core if not given.", min=1)
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads per fold; if not given, one, or all cores for a single fold.", min=1)
    ] = None,
    dask: Annotated[str | None, typer.Option("--dask", help="Train on the workers of this Dask scheduler.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--new", help="Continue an interrupted run; --new refuses a folder that exists.")
    ] = True,
) -> None:
    """Train an experiment; an interrupted run continues where it stopped.

    Examples:
        rtser train debug --data ~/corpora
        rtser train my.yaml -o runs/mine --set cnn.fit.epochs=3
    """
    sleeping_threads()
    with failures(interruptible=True), packages("train"), quiet_workers():
        from rtser_train.fitting.devices import chosen_device

        place = chosen_device(device)  # first, so that the package named where the extra is missing is torch
        from rtser_train.config import load_experiment
        from rtser_train.crossval import Workers
        from rtser_train.crossval import train as train_experiment
        from rtser_train.progress import ProgressReporter

        changes = [*(set_ or []), *([f"seeds=[{seed}]"] if seed is not None else [])]
        experiment = load_experiment(config, changes)
        run = output or Path("runs") / experiment.name
        if not resume and run.exists():
            raise InputError(f"{run} exists", "name another folder with --output, or leave out --new to continue it")
        workers = Workers(place, jobs, threads, dask)
        names = [name.strip() for name in (folds or "").split(",") if name.strip()]
        train_experiment(
            experiment, corpus_roots(experiment.sources, data, corpus), run, names, ProgressReporter(), workers
        )
        typer.echo(
            f"trained: {run}; next: rtser evaluate {run}; with the same --data or --corpus: rtser export {run} -o FILE",
            err=True,
        )


def evaluate(
    run: RunArgument,
    stream: Annotated[
        bool, typer.Option("--stream", help="Also stream the test files: accuracy (UA) by seconds of speech so far.")
    ] = False,
    head: HeadOption = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    jobs: Annotated[int | None, typer.Option(help="Processes that stream; one per core if not given.", min=1)] = None,
) -> None:
    """Print a run's tables as Markdown, and write tables and figures into its folder.

    Examples:
        rtser evaluate runs/mine
        rtser evaluate runs/mine --stream --data ~/corpora
    """
    sleeping_threads()
    with failures(interruptible=True) as fail, packages("train"), quiet_exporter():
        from rtser_train.data.experiment_data import labelled_recordings
        from rtser_train.evaluation.evaluate import evaluate as evaluate_run
        from rtser_train.evaluation.evaluate import hears_nothing
        from rtser_train.evaluation.streaming import evaluate_streaming
        from rtser_train.evaluation.tables import write_evaluation, write_streaming
        from rtser_train.progress import ProgressReporter
        from rtser_train.run import Run

        trained = Run.open(run)
        head = trained.experiment.head(head)
        roots = corpus_roots(trained.experiment.sources, data, corpus)
        if stream:
            labelled_recordings(trained.experiment, roots)  # a corpus that is missing is said now
        typer.echo(write_evaluation(trained, evaluate_run(trained)))
        if hears_nothing(trained, head):
            fail.say(HEARS_NOTHING)
        if stream:
            curves = evaluate_streaming(trained, head, roots, ProgressReporter(), jobs or -1)
            typer.echo(write_streaming(trained, head, curves))


def export(
    run: Annotated[
        Path,
        typer.Argument(help="Folder of a training run, or a model file of contract 1 to convert.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    head: HeadOption = None,
    fold: Annotated[
        str | None,
        typer.Option(
            "--fold", help="Fold whose model is exported; if not given, final, or else the first trained fold."
        ),
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
) -> None:
    """Export a run's model as one file, and verify it against torch on real utterances.

    Examples:
        rtser export runs/mine -o mine.onnx --data ~/corpora
    """
    sleeping_threads()
    with failures(interruptible=True) as fail, packages("train"), quiet_exporter():
        from rtser_train.evaluation.evaluate import hears_nothing
        from rtser_train.export.package import convert_file, export_run
        from rtser_train.run import Run

        check_model_name(output)
        if run.is_file():
            if head or fold or corpus:
                raise InputError("--head, --fold and --corpus are for a run, not for a model file", "leave them out")
            metadata, difference = convert_file(run, output)
            typer.echo(exported(output, metadata, difference))
            return

        trained = Run.open(run)
        roots = corpus_roots(trained.experiment.sources, data, corpus)
        metadata, difference = export_run(trained, head, fold, roots, output)
        typer.echo(exported(output, metadata, difference))
        if metadata.baseline is None:
            typer.echo(PLAIN_VOICE)
        if hears_nothing(trained, trained.experiment.head(head)):
            fail.say(HEARS_NOTHING)
