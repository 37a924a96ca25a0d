"""Measure the gain from a voice profile: UA without and with it, on speakers of any corpora.

    python tools/measure_voice.py CORPUS=FOLDER [CORPUS=FOLDER ...] --baseline-corpora ravdess,emodb,nemo [--limit 10]

For each speaker, --enrol random neutral utterances are enrolled as in `rtser enrol`, and left out of the test. With
--others, this number of utterances of other emotions is added, as with `--voice auto`. All other utterances are tested
with the profile. The emotion of a file is the likeliest one of its longest utterance, from the engine's decider; a file
without an utterance counts as wrong. Speakers with too few neutral utterances are left out.

The average voice comes from the corpora of --baseline-corpora, except the tested one; without this option it is the
model's own. Each draw of the enrolled utterances has its own seed; a figure is the mean over --seeds draws. Brackets
show the 95 % interval of the gain over strength 0, by bootstrap over speakers (not for fewer than 5 speakers).
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import UNKNOWN_SPEAKER, read_corpus

import rtser
from rtser.engine.contract import Float32
from rtser.engine.decider import Decider, DecideSettings
from rtser.engine.decision import Utterance
from rtser.engine.stream import Stream
from rtser.engine.voice import shifted
from rtser.voice import NEUTRAL, HeardSpeech, average_voice, voice_factors

RESAMPLES = 1000
FEWEST_SPEAKERS = 5
Float64 = NDArray[np.float64]


class Heard(NamedTuple):
    """The network's outputs for an utterance with S segments, with restarts, without a voice profile.

    Attributes:
        emotion: its label.
        emotions: (S, K).
        speech: (S,).
    """

    emotion: str
    emotions: Float32
    speech: Float32


def heard(model: rtser.Model, name: str, folder: Path, limit: int, seed: int) -> dict[str, list[Heard]]:
    """The utterances of each speaker, at most `limit` of each emotion of the model, in random order."""
    recordings, stream = read_corpus(name, folder), Stream(model)
    found: dict[str, list[Heard]] = defaultdict(list)
    counts: Counter[tuple[str, str]] = Counter()
    for place in np.random.default_rng(seed).permutation(len(recordings)):
        one = recordings[place]
        emotion = NEUTRAL if one.emotion == "calm" else one.emotion
        if emotion not in model.labels or one.speaker == UNKNOWN_SPEAKER or counts[one.speaker, emotion] >= limit:
            continue
        steps = list(stream.steps(read_samples(one)))
        stream.reset()
        if steps:
            counts[one.speaker, emotion] += 1
            parts = [(step.emotions, step.speech) for step in steps]
            found[one.speaker].append(Heard(emotion, *(np.concatenate(each) for each in zip(*parts, strict=True))))
    return dict(found)


def utterances(model: rtser.Model, one: Heard, factors: Float32 | None = None) -> list[Utterance]:
    """The engine's utterances: the shift for a voice, then the decider."""
    emotions = one.emotions if factors is None else shifted(one.emotions, factors)
    decider = Decider(model.labels, model.metadata.label_threshold, DecideSettings())
    said = enumerate(zip(one.speech.tolist(), emotions.tolist(), strict=True))
    readings = [decider.push(segment, speech, row).utterance for segment, (speech, row) in said]
    return [said for said in (*readings, decider.clear()) if said and said.final]


def enrolled(model: rtser.Model, speech: list[Heard]) -> Float64 | None:
    """The mean of log(emotions), as `rtser enrol` finds it; None if there is no speech."""
    mean = HeardSpeech(np.zeros(len(model.labels)))
    for one in speech:
        for said in utterances(model, one):
            mean = mean.with_utterance(said, None, float("inf"))
    return mean.mean if mean.speech_s else None


def right(model: rtser.Model, tested: list[Heard], factors: Float32 | None) -> list[bool]:
    """Whether each utterance's emotion is found."""
    hits = []
    for one in tested:
        longest = max(utterances(model, one, factors), key=lambda said: said.end_s - said.start_s, default=None)
        hits.append(longest is not None and longest.leaning.label == one.emotion)
    return hits


def accuracy(counts: Float64) -> float:
    """UA in per cent, from the numbers of hits and of utterances of each emotion, (2, K)."""
    hits, numbers = counts
    return 100 * float((hits[numbers > 0] / numbers[numbers > 0]).mean())


def measured(
    model: rtser.Model, speakers: dict[str, list[Heard]], average: Float64, options: argparse.Namespace
) -> tuple[Float64, int]:
    """Hits and utterances, (strengths, speakers, 2, K), summed over the draws; and how many utterances were tested."""
    rows, tests = [], 0
    for _, all_of in sorted(speakers.items()):
        rng = np.random.default_rng(options.seed)
        neutral = [place for place, one in enumerate(all_of) if one.emotion == NEUTRAL]
        others = [place for place, one in enumerate(all_of) if one.emotion != NEUTRAL]
        if len(neutral) <= options.enrol or len(others) <= options.others:
            continue
        row = np.zeros((len(options.strengths), 2, len(model.labels)))
        for _ in range(options.seeds):
            chosen = {*rng.choice(neutral, options.enrol, False), *rng.choice(others, options.others, False)}
            mean = enrolled(model, [all_of[place] for place in sorted(chosen)])
            tested = [one for place, one in enumerate(all_of) if place not in chosen]
            kinds = [model.labels.index(one.emotion) for one in tested]
            for number, strength in enumerate(options.strengths):
                factors = voice_factors(mean, average, strength) if mean is not None and strength else None
                np.add.at(row[number, 0], kinds, right(model, tested, factors))
                np.add.at(row[number, 1], kinds, 1)
        rows.append(row)
        tests += len(all_of) - options.enrol - options.others
    return np.stack(rows, axis=1), tests


def gains(counts: Float64) -> list[str]:
    """UA at each strength, and the interval of its gain over the first strength."""
    cells = [f"{accuracy(counts[0].sum(axis=0)):.1f}"]
    speakers = counts.shape[1]
    draws = np.random.default_rng(0).integers(speakers, size=(RESAMPLES, speakers))
    plain = np.array([accuracy(counts[0, draw].sum(axis=0)) for draw in draws])
    for one in counts[1:]:
        changed = np.array([accuracy(one[draw].sum(axis=0)) for draw in draws])
        low, high = np.percentile(changed - plain, [2.5, 97.5])
        interval = f" ({low:+.1f} to {high:+.1f})" if speakers >= FEWEST_SPEAKERS else ""
        cells.append(f"{accuracy(one.sum(axis=0)):.1f}{interval}")
    return cells


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", metavar="CORPUS=FOLDER")
    parser.add_argument(
        "--baseline-corpora", default="", help="corpora of the average voice; the model's own voice if not given"
    )
    parser.add_argument("--test-corpora", default="", help="corpora to test; all if not given")
    parser.add_argument("--enrol", type=int, default=4, help="neutral utterances of a speaker that are enrolled")
    parser.add_argument("--others", type=int, default=0, help="utterances of other emotions heard beside them")
    parser.add_argument("--limit", type=int, default=20, help="utterances of each emotion of a speaker")
    parser.add_argument("--strengths", type=float, nargs="+", default=(0, 0.25, 0.5, 0.75, 1))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3, help="draws of the enrolled utterances")
    parser.add_argument("--model", type=Path, help="model file; the shipped one if not named")
    options = parser.parse_args()
    model = rtser.load(options.model, provider="cpu")
    roots = dict(given.partition("=")[::2] for given in options.corpora)
    making = [name for name in options.baseline_corpora.split(",") if name]
    tested = [name for name in options.test_corpora.split(",") if name] or list(roots)
    spoken = {
        name: heard(model, name, Path(roots[name]), options.limit, options.seed)
        for name in roots
        if name in {*making, *tested}
    }
    averages = {}
    for name in making:
        neutral = [[one for one in each if one.emotion == NEUTRAL] for each in spoken[name].values()]
        means = [mean for each in neutral if (mean := enrolled(model, each)) is not None]
        averages[name] = np.mean(means, axis=0)
        values = ", ".join(f"{label} {value:.2f}" for label, value in zip(model.labels, averages[name], strict=True))
        print(f"average voice of {name} ({len(means)} speakers): {values}")
    print(f"\n| corpus | speakers | utterances | {' | '.join(f'{one:g}' for one in options.strengths)} |")
    print("|---" * (3 + len(options.strengths)) + "|")
    for name in tested:
        of_others = [mean for corpus, mean in averages.items() if corpus != name]
        average = np.mean(of_others, axis=0) if of_others else average_voice(model.metadata)
        counts, tests = measured(model, spoken[name], average, options)
        print(f"| {name} | {counts.shape[1]} | {tests} | {' | '.join(gains(counts))} |", flush=True)


if __name__ == "__main__":
    main()
