"""Measure a run's speech output against the Silero voice activity detector, on speakers that its folds never heard.

    python tools/measure_speech.py runs/default --data DATA [--noise FOLDER] [--snr 10]

Silero's result on the clean recording counts as the truth for each segment (speech in more than half of it). RAVDESS
has about a second of silence around each utterance. Prints a Markdown table of areas under the ROC curve, with and
without noise, and the time of both for 60 ms of sound, measured in turn in this run.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from rtser_train.data.bags import speech_share
from rtser_train.data.corpora import read_corpus
from rtser_train.data.corpora.recording import audio_files
from sklearn.metrics import roc_auc_score

import rtser
from rtser.audio.file import read_audio
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.engine.stream import Stream
from rtser.models.raw import raw_outputs

COST_S = 30


def noisy(samples: Float32, speech: Float32, noise: Float32, snr_db: float, rng: np.random.Generator) -> Float32:
    """Samples with a random stretch of noise, `snr_db` below the mean power of the speech."""
    start = rng.integers(max(1, len(noise) - len(samples)))
    stretch = np.resize(noise[start:], len(samples))
    active = np.repeat(speech > 0.5, HOP_SAMPLES)
    voice = samples[: len(active)][active[: len(samples)]] if active.any() else samples
    gain = np.sqrt(np.mean(voice**2) / 10 ** (snr_db / 10) / (np.mean(stretch**2) + 1e-12))
    return (samples + gain * stretch).astype(np.float32)


def costs(model: rtser.Model, samples: Float32) -> tuple[float, float]:
    """Milliseconds for 60 ms of sound: a complete hop of rtser, and Silero's windows."""
    from silero_vad import load_silero_vad

    detector, stream = load_silero_vad(onnx=True), Stream(model)
    ours_s = theirs_s = 0.0
    sound = np.resize(samples, COST_S * SAMPLE_RATE)
    for start in range(0, len(sound), SAMPLE_RATE):
        block = sound[start : start + SAMPLE_RATE]
        before_s = time.perf_counter()
        for hop in np.split(block, range(HOP_SAMPLES, len(block), HOP_SAMPLES)):
            stream.push(hop)
        between_s = time.perf_counter()
        for window in torch.from_numpy(block[: 31 * 512].copy()).split(512):
            detector(window, SAMPLE_RATE)
        ours_s += between_s - before_s
        theirs_s += (time.perf_counter() - between_s) * len(block) / (31 * 512)
    hops = len(sound) / HOP_SAMPLES
    return 1000 * ours_s / hops, 1000 * theirs_s / hops


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a training run with evaluated folds")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds ravdess")
    parser.add_argument("--noise", type=Path, help="folder of noise; DATA/nonspeech100 if not named")
    parser.add_argument("--snr", type=float, default=10.0, help="dB of the noisy copy")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    noises = [read_audio(path) for path in audio_files(options.noise or options.data / "nonspeech100")]
    utterances = read_corpus("ravdess", options.data / "ravdess")
    truth: list[Float32] = []
    scores: dict[str, list[Float32]] = {"clean": [], "noisy": [], "Silero, noisy": []}
    speakers = 0
    for path in sorted(options.run.glob("seed-*/fold-*/*.onnx")):
        parts = json.loads((path.parent / "speakers.json").read_text())
        tested = [utterance for utterance in utterances if utterance.group in parts["test"]]
        speakers += len({utterance.speaker for utterance in tested})
        model = rtser.load(path, provider="cpu")
        for utterance in tested:
            samples = read_audio(utterance.path)
            share = speech_share(samples)
            worse = noisy(samples, share, noises[rng.integers(len(noises))], options.snr, rng)
            truth.append(share > 0.5)
            scores["clean"].append(_speech(model, samples))
            scores["noisy"].append(_speech(model, worse))
            scores["Silero, noisy"].append(speech_share(worse))
    labels = np.concatenate(truth)
    print(f"{len(truth)} utterances of {speakers} speakers, {len(labels)} segments, {labels.mean():.0%} speech")
    print("| sound | speech output, ROC area | Silero, ROC area |\n|---|---|---|")
    areas = {name: roc_auc_score(labels, np.concatenate(values)) for name, values in scores.items()}
    print(f"| clean | {areas['clean']:.3f} | taken for the truth |")
    print(f"| noise at {options.snr:g} dB | {areas['noisy']:.3f} | {areas['Silero, noisy']:.3f} |")
    ours_ms, theirs_ms = costs(rtser.load(provider="cpu"), read_audio(utterances[0].path))
    print(
        f"\n60 ms of sound, one thread: rtser {ours_ms:.2f} ms (features, network, decision and speech together), "
        f"Silero (ONNX) {theirs_ms:.2f} ms, ratio {ours_ms / theirs_ms:.2f}"
    )


def _speech(model: rtser.Model, samples: Float32) -> Float32:
    return raw_outputs(model, samples, model.metadata.window).speech


if __name__ == "__main__":
    main()
