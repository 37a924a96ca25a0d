"""Train on a development split, and measure a change of the settings on unheard speakers and unheard corpora.

    python tools/develop.py NAME --data DATA [--config default] [--unheard emodb,nemo] [--set joint.context=0 ...]

The corpora of --unheard are not trained on. One sixth of the other corpora's speakers validates. Prints UA in per cent
on the validation speakers (which also choose the epoch) and on each unheard corpus, for whole files, offline: as they
are, 30 dB lower, and in their last changed version (rooms, codecs, other voices). Note that settings chosen with this
tool are chosen on speakers whom the five folds test. Adds one line of JSON to OUTPUT/results.jsonl.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

import torch
from rtser_train.config import Experiment, load_experiment
from rtser_train.data.bags import Bag, Frames
from rtser_train.data.batches import NEPERS_PER_DB
from rtser_train.data.experiment_data import load
from rtser_train.data.folds import make_folds
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import embed, score
from rtser_train.fitting.joint import Networks, fit_jointly
from rtser_train.fitting.stage2 import decide
from rtser_train.fitting.threads import use_threads
from rtser_train.progress import ProgressReporter
from rtser_train.settings import Protocol

LOWER_DB = 30.0


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--config", type=Path, default=Path("default"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--unheard", default="emodb,nemo")
    parser.add_argument("--output", type=Path, default=Path("runs/develop"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    use_threads(options.threads)
    reporter = ProgressReporter(prefix=f"{options.name} ")
    whole = load_experiment(options.config, options.set)
    unheard = options.unheard.split(",")
    heard = whole.model_copy(
        update={
            "corpora": [name for name in whole.corpora if name not in unheard],
            "protocol": Protocol(kind="speakers", nested=False, validation=1 / 6, final=True),
        }
    )
    roots = {name: options.data / name for name in [*whole.sources, *unheard]}
    bags, noise = load(heard, roots, reporter, jobs=1)
    fold = next(one for one in make_folds(bags, heard.protocol, heard.seeds[0]) if not one.test)
    others, _ = load(whole.model_copy(update={"corpora": unheard}), roots, reporter, jobs=1)
    others = [bag for bag in others if bag.label >= 0]
    reporter.line(fold.describe())
    started_s = time.perf_counter()
    context = FitContext(heard, heard.seeds[0], "cpu", reporter)
    options.output.mkdir(parents=True, exist_ok=True)
    networks = fit_jointly(fold.train, fold.validation, noise, context, options.output / f"{options.name}.pt")
    seconds = time.perf_counter() - started_s
    result = {"name": options.name, "set": options.set, "minutes": round(seconds / 60, 1)}
    for condition, change in {"clean": as_it_is, "-30 dB": lower, "changed": changed}.items():
        found = {
            kind: measure(networks, [change(bag, heard) for bag in part], heard)
            for kind, part in (("validation", fold.validation), ("unheard", others))
        }
        result[condition] = found
    line = json.dumps(result)
    with (options.output / "results.jsonl").open("a") as file:
        file.write(line + "\n")
    print(line)


def measure(networks: Networks, bags: Sequence[Bag], experiment: Experiment) -> dict[str, float]:
    """UA in per cent by corpus, and their mean."""
    embedded = embed(networks.cnn, bags, networks.context)
    with torch.no_grad():
        found = score(embedded, decide(networks.head, embedded, experiment.attention.window).logits)
    rounded = {name: round(100 * value, 1) for name, value in found.items() if name != "mean"}
    return rounded | {"mean": round(fmean(rounded.values()), 1)}


def as_it_is(bag: Bag, experiment: Experiment) -> Bag:  # noqa: ARG001
    """The bag, unchanged."""
    return bag


def lower(bag: Bag, experiment: Experiment) -> Bag:
    """The bag at a lower level."""
    return replace(bag, versions=(partial(_lower, bag, experiment.features.log_floor),))


def changed(bag: Bag, experiment: Experiment) -> Bag:  # noqa: ARG001
    """The bag's last version."""
    return replace(bag, versions=bag.versions[-1:])


def _lower(bag: Bag, log_floor: float) -> Frames:
    return (bag.frames - NEPERS_PER_DB * LOWER_DB).clip(log_floor)


if __name__ == "__main__":
    main()
