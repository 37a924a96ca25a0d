"""``rtser robustness``: how well a model does in real conditions."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtser.commands.corpora import CorpusOption, DataOption, corpus_places
from rtser.commands.process import failures, packages, sleeping_threads
from rtser.commands.quiet import quiet_exporter
from rtser.commands.train import HeadOption
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser_train.robustness.contestants import Contestant

NOISE = "esc10"
"""Name of the folder of noise if none is given."""


def robustness(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Model file; `default` is the shipped one. Leave it out with --run and --fold.", metavar="MODEL"
        ),
    ] = None,
    corpora: Annotated[
        list[str] | None,
        typer.Argument(help="Names of corpora, or paths of your own CSV tables and folders of audformat databases."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="A training run: measures the model of each fold on the fold's test speakers."),
    ] = None,
    fold: Annotated[
        Path | None,
        typer.Option("--fold", help="One fold of a run (RUN/seed-1/fold-2): measures its model on its test speakers."),
    ] = None,
    head: HeadOption = None,
    compare: Annotated[
        Path | None,
        typer.Option("--compare", help="A second model file or run, measured on the same utterances and random draws."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the report; robustness-MODEL if not given.")
    ] = None,
    data: DataOption = Path("data"),
    corpus: CorpusOption = None,
    conditions: Annotated[
        str | None,
        typer.Option(
            help="Only these groups, with commas, and clean: level, noise, rooms, codecs, speed, lead, speech, joined, "
            "nonspeech."
        ),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(help="Folder of noise, also by its name under --data; its held-out third is used."),
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder of room impulse responses, as audio files.")] = None,
    nonspeech: Annotated[
        list[Path] | None, typer.Option(help="A further folder of sounds without speech; repeatable.")
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            help="FROM=TO: count a corpus's emotion as a label, such as anger=angry; replaces calm=neutral; repeatable."
        ),
    ] = None,
    speakers: Annotated[str | None, typer.Option(help="Only these speakers, separated by commas.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Most utterances per corpus, balanced over emotions and speakers.", min=2),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)] = 0,
    jobs: Annotated[int | None, typer.Option(help="Processes; one per core if not given.", min=1)] = None,
) -> None:
    """Measure a model in real conditions: noise, rooms, calls, levels, pauses, and sound without speech.

    Prints the report, and writes report.md, report.html and report.json into its folder. The same command continues an
    interrupted measurement.

    Examples:
        rtser robustness default emodb --data ~/corpora
        rtser robustness --run runs/mine --data ~/corpora
        rtser robustness mine.onnx calls.csv --conditions noise,codecs
    """
    sleeping_threads()
    with failures(interruptible=True), packages("train"), quiet_exporter():
        from rtser_train.progress import ProgressReporter
        from rtser_train.robustness.conditions import chosen_groups
        from rtser_train.robustness.measure import Request, measure
        from rtser_train.robustness.report import write_report
        from rtser_train.robustness.sounds import find_sounds

        groups = chosen_groups(conditions)
        contestants = _contestants(model, corpora, run, fold, compare, head)
        noise_name = noise or NOISE
        roots = corpus_places([*_corpora(model, corpora, contestants[0]), noise_name], data, corpus)
        noise_folder = roots.popitem()
        sounds = find_sounds(groups, seed, noise_folder, noise is not None, rooms, nonspeech or [])
        request = Request(
            contestants=contestants,
            roots=roots,
            sounds=sounds,
            groups=groups,
            merge=merge,
            limit=limit,
            speakers=[name.strip() for name in (speakers or "").split(",") if name.strip()],
            seed=seed,
            command=shlex.join(["rtser", *sys.argv[1:]]),
        )
        folder = output or Path(f"robustness-{(run or fold or Path(model or '')).stem}")
        report = measure(request, folder / "kept", ProgressReporter(), jobs or -1)
        typer.echo(write_report(report, folder), nl=False)
        typer.echo(f"written: {folder / 'report.html'}, report.md, report.json", err=True)


def _corpora(model: str | None, corpora: list[str] | None, contestant: Contestant) -> list[str]:
    """The corpora that the arguments name. A run takes no MODEL, and defaults to all corpora that it was tested on."""
    if not contestant.tested:
        return list(dict.fromkeys(corpora or []))
    names = list(dict.fromkeys([*([model] if model else []), *(corpora or [])])) or list(contestant.tested)
    unknown = [name for name in names if name not in contestant.tested]
    if unknown:
        raise InputError(
            f"{contestant.source} was not tested on {unknown[0]}", f"name some of {', '.join(contestant.tested)}"
        )
    return names


def _contestants(
    model: str | None,
    corpora: list[str] | None,
    run: Path | None,
    fold: Path | None,
    other: Path | None,
    head: str | None,
) -> tuple[Contestant, ...]:
    """The model or run to measure, and the one to compare it with."""
    from rtser_train.robustness.contestants import of_file, of_fold, of_run

    if run and fold:
        raise InputError("--run and --fold exclude each other", "name one of them")
    if not run and not fold and not (model and corpora):
        raise InputError("a model and a corpus are needed", "rtser robustness MODEL CORPUS..., or --run RUN")
    trained = of_run(run, head) if run else of_fold(fold, head) if fold else None
    first = trained or of_file(Path(model or ""))
    if other is None:
        return (first,)
    return first, of_run(other, head) if other.is_dir() else of_file(other)
