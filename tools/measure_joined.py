"""Measure labels on real recordings joined with pauses: does each utterance get its own emotion?

    python tools/measure_joined.py CORPUS=FOLDER [CORPUS=FOLDER ...] [--files 120] [--pauses 0.5 1.0] [--model MODEL]

For each corpus some recordings of emotions that the model knows are drawn (fixed seed) and joined in random order, with
a random pause between the two bounds after each. The model decides as `rtser file` does. With --slide the window is
never restarted, as it was before contract 2.

An utterance counts as named where a label is shown while it lasts or within a second after it. Its label is the one
shown longest. Prints a Markdown table: named, of all utterances; right, of the named and of all; how often the first
label shown was the previous utterance's emotion (where the two differ; a label that still lasts counts); the median
time to the first label; label changes in a second of speech. The first recording is left out: nothing came before it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import read_corpus

import rtser
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.settings import ListenSettings, checked, read_settings

MERGED = {"calm": "neutral"}
AFTER_S = 1.0
LEAD_S = 1.0


class Part(NamedTuple):
    """One recording of the joined sound: its emotion, and where it lies, in seconds."""

    emotion: str
    start_s: float
    end_s: float


def joined(
    corpus: str, root: Path, labels: tuple[str, ...], files: int, pauses: tuple[float, float], seed: int
) -> tuple[Float32, list[Part]]:
    """The sound (n,) and its parts."""
    rng = np.random.default_rng(seed)
    known = [(one, MERGED.get(one.emotion or "", one.emotion or "")) for one in read_corpus(corpus, root)]
    known = [(one, emotion) for one, emotion in known if emotion in labels]
    chosen = rng.permutation(len(known))[:files]
    sounds, parts, at = [np.zeros(round(LEAD_S * SAMPLE_RATE), np.float32)], [], LEAD_S
    for index in chosen:
        recording, emotion = known[index]
        samples = read_samples(recording)
        pause = np.zeros(round(rng.uniform(*pauses) * SAMPLE_RATE), np.float32)
        parts.append(Part(emotion, at, at + len(samples) / SAMPLE_RATE))
        at = parts[-1].end_s + len(pause) / SAMPLE_RATE
        sounds += [samples, pause]
    return np.concatenate([*sounds, np.zeros(SAMPLE_RATE, np.float32)]), parts


def shown(
    model: rtser.Model, samples: Float32, settings: ListenSettings, slide: bool
) -> tuple[list[float], list[str | None], float]:
    """Times and labels of all decisions, and how many seconds somebody spoke."""
    stream, decider = (
        rtser.Stream(model, settings.window_s),
        rtser.Decider(model.metadata.label_threshold, settings.decide),
    )
    times, labels, speaking = [], [], 0
    for start in range(0, len(samples), HOP_SAMPLES):
        for decision in stream.push(samples[start : start + HOP_SAMPLES]):
            reading = decider.push(decision)
            times.append(decision.time_s)
            labels.append(reading.label)
            speaking += reading.speaking
            if decider.idle and not slide:
                stream.restart()
    return times, labels, speaking * HOP_SAMPLES / SAMPLE_RATE


def row(model: rtser.Model, samples: Float32, parts: list[Part], settings: ListenSettings, slide: bool) -> str:
    """The cells of one table row."""
    times, labels, spoken_s = shown(model, samples, settings, slide)
    at = np.array(times)
    named = right = previous = differing = 0
    waits = []
    for before, part, after in zip(parts, parts[1:], [*parts[2:], None], strict=False):
        until = min(part.end_s + AFTER_S, after.start_s if after else part.end_s + AFTER_S)
        first, last = np.searchsorted(at, [part.start_s, until])
        here = [(time, label) for time, label in zip(times[first:last], labels[first:last], strict=True) if label]
        if not here:
            continue
        named += 1
        waits.append(here[0][0] - part.start_s)
        right += Counter(label for _, label in here).most_common(1)[0][0] == part.emotion
        if before.emotion != part.emotion:
            differing += 1
            previous += here[0][1] == before.emotion
    changes = sum(bool(one and other and one != other) for one, other in pairwise(labels))
    count = len(parts) - 1
    cells = [
        str(count),
        f"{100 * named / count:.0f}",
        f"{100 * right / max(1, named):.0f}",
        f"{100 * right / count:.0f}",
        f"{100 * previous / max(1, differing):.0f}",
        f"{np.median(waits) if waits else float('nan'):.2f}",
        f"{changes / max(1e-9, spoken_s):.2f}",
    ]
    return " | ".join(cells)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", metavar="CORPUS=FOLDER")
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--pauses", type=float, nargs=2, default=(0.5, 1.0), help="shortest and longest, in seconds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], help="key=value: a setting of rtser listen; repeatable")
    parser.add_argument("--slide", action="store_true", help="never restart the window")
    parser.add_argument("--model", type=Path, help="model file; the shipped one if not named")
    options = parser.parse_args()
    settings = checked(ListenSettings, read_settings(None, options.set), "--set")
    model = rtser.load(options.model, provider="cpu")
    columns = ["corpus", "utterances", "named %", "right of named %", "right of all %", "previous first %"]
    columns += ["first label s", "changes/s"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for given in options.corpora:
        name, _, folder = given.partition("=")
        samples, parts = joined(name, Path(folder), model.labels, options.files, tuple(options.pauses), options.seed)
        print(f"| {name} | {row(model, samples, parts, settings, options.slide)} |", flush=True)


if __name__ == "__main__":
    main()
