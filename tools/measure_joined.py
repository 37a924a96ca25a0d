"""Measure labels on real recordings joined with pauses: does each utterance get its own emotion?

    python tools/measure_joined.py CORPUS=FOLDER [CORPUS=FOLDER ...] [--files 120] [--pauses 0.5 1.0] [--model MODEL]

For each corpus some recordings of emotions that the model knows are drawn (fixed seed) and joined in random order, with
a random pause between the two bounds after each. The model decides as `rtser file` does. With --slide the window is
never restarted, as it was before contract 2.

Named: the utterance that the recogniser tells (the one that overlaps the recording most) has a label; right: its label
is the recording's emotion. Likeliest right: the last likeliest emotion of the recording was right, named or not.
Previous first: the first label shown in the recording was the emotion of the one before, where the two differ; a label
that still lasts counts. Then the median time to the first label, and label changes in a second of speech. The first
recording is left out: nothing came before it.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import read_corpus

import rtser
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32, segment_end_s, window_segments
from rtser.engine.decider import Decider
from rtser.engine.decision import Utterance
from rtser.engine.stream import Stream
from rtser.models.raw import raw_outputs
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


class Shown(NamedTuple):
    """What is shown after each segment, S of them, and the utterances that are told.

    Attributes:
        times_s: ends of the segments.
        labels: the emotions named.
        leanings: the likeliest emotions.
        spoken_s: how many seconds somebody spoke.
        utterances: those that ended.
    """

    times_s: list[float]
    labels: list[str | None]
    leanings: list[str | None]
    spoken_s: float
    utterances: list[Utterance]


def streamed(model: rtser.Model, samples: Float32, settings: ListenSettings) -> Shown:
    """As `rtser file` decides."""
    stream = Stream(model, settings.window_s, settings.decide)
    said = [*stream.push(samples), stream.reset()]
    decisions = [one for one in said if isinstance(one, rtser.Decision)]
    return Shown(
        [one.time_s for one in decisions],
        [one.label for one in decisions],
        [one.leaning.label if one.leaning else None for one in decisions],
        sum(one.speaking for one in decisions) * HOP_SAMPLES / SAMPLE_RATE,
        [one for one in said if isinstance(one, Utterance) and one.final],
    )


def slid(model: rtser.Model, samples: Float32, settings: ListenSettings) -> Shown:
    """As `rtser file` would decide if its window slid over all that is said, without a restart."""
    window = window_segments(settings.window_s) if settings.window_s else model.metadata.window
    raw = raw_outputs(model, samples, window)
    decider = Decider(model.labels, model.metadata.label_threshold, settings.decide)
    said = enumerate(zip(raw.speech.tolist(), raw.emotions.tolist(), strict=True))
    readings = [decider.push(segment, speech, emotions) for segment, (speech, emotions) in said]
    names = [*model.labels, None]
    utterances = [one for one in (*(read.utterance for read in readings), decider.clear()) if one and one.final]
    return Shown(
        [segment_end_s(segment) for segment in range(len(readings))],
        [names[read.label] for read in readings],
        [names[read.leaning] for read in readings],
        sum(read.speaking for read in readings) * HOP_SAMPLES / SAMPLE_RATE,
        utterances,
    )


def told(utterances: list[Utterance], part: Part) -> str | None:
    """The label of the utterance that overlaps a part most."""

    def overlap(one: Utterance) -> float:
        return min(one.end_s, part.end_s) - max(one.start_s, part.start_s)

    most = max(utterances, key=overlap, default=None)
    return most.label if most and overlap(most) > 0 else None


def row(shown: Shown, parts: list[Part]) -> str:
    """The cells of one table row."""
    at = np.array(shown.times_s)
    likeliest = previous = differing = 0
    waits = []
    for before, part, after in zip(parts, parts[1:], [*parts[2:], None], strict=False):
        until = min(part.end_s + AFTER_S, after.start_s if after else part.end_s + AFTER_S)
        first, last = np.searchsorted(at, [part.start_s, until])
        leaning = [one for one in shown.leanings[first:last] if one]
        likeliest += bool(leaning) and leaning[-1] == part.emotion
        named = [place for place in range(first, last) if shown.labels[place]]
        if named:
            waits.append(shown.times_s[named[0]] - part.start_s)
        if named and before.emotion != part.emotion:
            differing += 1
            previous += shown.labels[named[0]] == before.emotion
    changes = sum(bool(one and other and one != other) for one, other in pairwise(shown.labels))
    labels = [(told(shown.utterances, part), part.emotion) for part in parts[1:]]
    named, right = sum(bool(label) for label, _ in labels), sum(label == emotion for label, emotion in labels)
    shares = named / len(labels), right / max(1, named), right / len(labels), likeliest / len(labels)
    cells = [f"{100 * share:.1f}" for share in (*shares, previous / max(1, differing))]
    wait_s = f"{np.median(waits) if waits else float('nan'):.2f}"
    return " | ".join([str(len(labels)), *cells, wait_s, f"{changes / max(1e-9, shown.spoken_s):.2f}"])


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
    columns = ["corpus", "utterances", "named %", "right of named %", "right of all %", "likeliest right %"]
    columns += ["previous first %", "first label s", "changes/s"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for given in options.corpora:
        name, _, folder = given.partition("=")
        samples, parts = joined(name, Path(folder), model.labels, options.files, tuple(options.pauses), options.seed)
        print(f"| {name} | {row((slid if options.slide else streamed)(model, samples, settings), parts)} |", flush=True)


if __name__ == "__main__":
    main()
