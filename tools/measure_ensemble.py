"""Measure several models, and the mean of them, on corpora that they never heard.

    python tools/measure_ensemble.py CORPUS=FOLDER [CORPUS=FOLDER ...] --model A.onnx --model B.onnx [--limit 600]

At most --limit random utterances of each corpus are tested, the same for all models. The network alone hears the whole
file, without restarts; the likeliest emotion of the last window with enough speech counts. A file without such a window
counts as wrong. The mean of the models is the geometric one. UA in per cent.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import Recording, read_corpus
from rtser_train.metrics import unweighted_accuracy
from scipy.stats import gmean

import rtser
from rtser.engine.contract import Float32
from rtser.models.raw import raw_outputs
from rtser.voice import NEUTRAL

LEAST = 1e-6
"""Least probability, so that its logarithm is finite."""


def last_decision(model: rtser.Model, samples: Float32) -> Float32:
    """The probabilities (K,) of the last window of a file (n,) with enough speech; zeros if there is none."""
    emotions = raw_outputs(model, samples, model.metadata.window).emotions
    decided = np.flatnonzero(emotions.any(axis=1))
    return emotions[decided[-1]] if len(decided) else np.zeros(len(model.labels), np.float32)


def mean_of(models: Float32) -> Float32:
    """The geometric mean (n, K) of models' probabilities (M, n, K), not normalised; zeros where none has decided."""
    mean = gmean(np.maximum(models, LEAST), axis=0)
    return np.asarray(mean * models.any(axis=(0, 2))[:, None], np.float32)


def accuracy(classes: NDArray[np.int64], said: Float32) -> float:
    """UA in per cent of probabilities (n, K); zeros count as wrong."""
    return 100 * unweighted_accuracy(classes, np.where(said.any(axis=1), said.argmax(axis=1), -1))


def chosen(name: str, folder: Path, labels: Sequence[str], limit: int) -> tuple[list[Recording], NDArray[np.int64]]:
    """Random utterances of a corpus that have one of the labels, and their classes."""
    named = [(one, NEUTRAL if one.emotion == "calm" else one.emotion) for one in read_corpus(name, folder)]
    known = [(one, labels.index(emotion)) for one, emotion in named if emotion in labels]
    places = np.random.default_rng(0).permutation(len(known))[:limit]
    return [known[place][0] for place in places], np.array([known[place][1] for place in places])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", metavar="CORPUS=FOLDER")
    parser.add_argument("--model", action="append", required=True, help="model file, or `default`; repeatable")
    parser.add_argument("--limit", type=int, default=600)
    options = parser.parse_args()
    models = {name: rtser.load(None if name == "default" else name) for name in options.model}
    labels = next(iter(models.values())).labels
    if any(model.labels != labels for model in models.values()):
        parser.error("the models have different labels")
    table: dict[str, list[float]] = {}
    for corpus in options.corpora:
        name, _, folder = corpus.partition("=")
        recordings, classes = chosen(name, Path(folder), labels, options.limit)
        sounds = map(read_samples, recordings)
        every = np.array([[last_decision(model, one) for model in models.values()] for one in sounds]).swapaxes(0, 1)
        for title, said in [*zip(models, every, strict=True), ("mean of the models", mean_of(every))]:
            table.setdefault(title, []).append(accuracy(classes, said))
    print("UA %", *(corpus.partition("=")[0] for corpus in options.corpora), "mean", sep="\t")
    for title, figures in table.items():
        print(title, *(f"{figure:.1f}" for figure in (*figures, np.mean(figures))), sep="\t")


if __name__ == "__main__":
    main()
