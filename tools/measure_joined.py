"""Measure labels on real recordings that are joined with pauses: does each utterance get its own emotion?

    python tools/measure_joined.py CORPUS=FOLDER [CORPUS=FOLDER ...] [--files 120] [--seeds 5] [--pauses 0.5 1.0]

For each corpus, recordings of emotions that the model knows are drawn and joined in random order. A random pause of
--pauses follows each. This is repeated with the seeds --seed, --seed + 1, ... A figure is the mean over these
draws (lowest to highest). The model decides as in `rtser file`. With --slide the window never restarts, as before
contract 2. rtser_train/evaluation/joined.py defines the figures.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from rtser_train.data.corpora import read_corpus
from rtser_train.evaluation.joined import FIGURES, Part, figures, join, slid, streamed

import rtser
from rtser.engine.contract import Float32
from rtser.settings import ListenSettings, checked, read_settings

MERGED = {"calm": "neutral"}


def joined(
    corpus: str, root: Path, labels: tuple[str, ...], files: int, pauses_s: tuple[float, float], seed: int
) -> tuple[Float32, list[Part]]:
    """The sound (n,) and its parts."""
    rng = np.random.default_rng(seed)
    known = [(one, MERGED.get(one.emotion or "", one.emotion or "")) for one in read_corpus(corpus, root)]
    known = [(one, emotion) for one, emotion in known if emotion in labels]
    chosen = rng.permutation(len(known))[:files]
    return join((known[index] for index in chosen), pauses_s, rng)


def cells(draws: list[list[float]]) -> str:
    """A table row of several draws: each figure's mean, and its lowest and highest value if they differ.

    Draws without anything to count are left out; the cell is "-" if no draw is left.
    """
    found = []
    for values, places in zip(zip(*draws, strict=True), FIGURES.values(), strict=True):
        counted = [value for value in values if not math.isnan(value)]
        if not counted:
            found.append("-")
            continue
        mean, low, high = (f"{value:.{places}f}" for value in (np.mean(counted), min(counted), max(counted)))
        found.append(mean if low == high else f"{mean} ({low} to {high})")
    return " | ".join(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", metavar="CORPUS=FOLDER")
    parser.add_argument("--files", type=int, default=120, help="recordings in a draw")
    parser.add_argument("--pauses", type=float, nargs=2, default=(0.5, 1.0), help="shortest and longest, in seconds")
    parser.add_argument("--seed", type=int, default=0, help="of the first draw")
    parser.add_argument("--seeds", type=int, default=5, help="how many draws")
    parser.add_argument("--set", action="append", default=[], help="key=value: a setting of rtser listen; repeatable")
    parser.add_argument("--slide", action="store_true", help="never restart the window")
    parser.add_argument("--model", type=Path, help="model file; the shipped one if not named")
    options = parser.parse_args()
    settings = checked(ListenSettings, read_settings(None, options.set), "--set")
    model = rtser.load(options.model, provider="cpu")
    print(f"| corpus | {' | '.join(FIGURES)} |\n{'|---' * (1 + len(FIGURES))}|")
    for given in options.corpora:
        name, _, folder = given.partition("=")
        draws = []
        for seed in range(options.seed, options.seed + options.seeds):
            samples, parts = joined(name, Path(folder), model.labels, options.files, tuple(options.pauses), seed)
            draws.append(figures((slid if options.slide else streamed)(model, samples, settings), parts))
        print(f"| {name} | {cells(draws)} |", flush=True)


if __name__ == "__main__":
    main()
