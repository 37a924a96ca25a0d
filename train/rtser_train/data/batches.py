"""Batches: random crops of bags, drawn in balance, and their augmentation in the log-Mel domain.

Augmenting spectrograms rather than waveforms needs no new feature extraction in each epoch: a gain is an addition, and
noise adds in power. Every draw follows from (seed, epoch), so a resumed run sees the same batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rtser.engine.contract import (
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    HOP_FRAMES,
    MEL_BINS,
    SAMPLE_RATE,
    SEGMENT_FRAMES,
)
from rtser_train.data.bags import Bag, Frames
from rtser_train.front_end import HIGH_HZ, LOW_HZ, hertz_to_mel, mel_filterbank
from rtser_train.settings import Augment, Sampling

NEPERS_PER_DB = float(np.log(10.0) / 10.0)
FRAME_STEP_S = FRAME_HOP_SAMPLES / SAMPLE_RATE
EQUALISER_POINTS = 6
TELEPHONE_HZ = 3_400.0
_TELEPHONE_BIN = int(
    MEL_BINS * (hertz_to_mel(TELEPHONE_HZ) - hertz_to_mel(LOW_HZ)) / (hertz_to_mel(HIGH_HZ) - hertz_to_mel(LOW_HZ))
)

_WHITE = torch.from_numpy(np.log(np.square(np.hanning(FRAME_SAMPLES)).sum() * mel_filterbank().sum(0))).float()
"""Log-Mel of white noise of unit variance, (64,): its mean energies."""


class Batch(NamedTuple):
    """B random crops of S segments.

    Attributes:
        log_mel: (B, 32 + 6 (S - 1), 64).
        labels: (B,), class index, -1 without emotion.
        speech: (B, S), share of speech; 0 in padding.
        present: (B, S), 1 where the bag has a segment, 0 in padding.
        which: (B,), index of the bag among those that were drawn from; -1 for noise.
    """

    log_mel: Tensor
    labels: Tensor
    speech: Tensor
    present: Tensor
    which: Tensor


def balance(bags: Sequence[Bag], sampling: Sampling = Sampling()) -> NDArray[np.float64]:
    """Probability of drawing each bag: all emotions of a corpus are equally likely; `sampling` decides the rest."""
    cells = [(bag.recording.corpus, _emotion(bag), bag.recording.speaker) for bag in bags]
    power = 0.5 if sampling.by_speaker else 1.0
    sizes = Counter(cells)
    shares: Counter[tuple[str, str]] = Counter()
    for (corpus, emotion, _), size in sizes.items():
        shares[corpus, emotion] += size**power
    emotions = Counter(corpus for corpus, _ in shares)
    speakers = Counter(corpus for corpus, _ in {(corpus, speaker) for corpus, _, speaker in cells})
    importance = {
        corpus: sampling.weights.get(corpus, 1.0) * count**sampling.speaker_power for corpus, count in speakers.items()
    }
    weights = np.array(
        [
            importance[corpus] / emotions[corpus] * sizes[cell] ** (power - 1) / shares[corpus, emotion]
            for cell in cells
            for corpus, emotion, _ in [cell]
        ]
    )
    total: float = weights.sum()
    return np.asarray(weights / total, np.float64)


def _emotion(bag: Bag) -> str:
    """What counts as one emotion: the class, or without one, the corpus's own name."""
    return str(bag.label) if bag.label >= 0 else f"{bag.recording.emotion}"


class Cropping(NamedTuple):
    """The part of a bag that goes into a batch.

    Attributes:
        segments: length of the longest part; all parts are padded to it.
        log_floor: the value of the padding.
        margin: most segments before and after the bag's speech; None: up to the ends of the recording.
    """

    segments: int
    log_floor: float
    margin: int | None = None


def crops(
    bags: Sequence[Bag],
    noise: Sequence[Bag],
    cropping: Cropping,
    batch: int,
    draws: int,
    noise_share: float,
    rng: np.random.Generator,
    sampling: Sampling = Sampling(),
) -> Iterator[tuple[Batch, Tensor | None]]:
    """An epoch of batches, each with noise spectrograms (B, T, 64) to mix in (None without noise recordings)."""
    index = rng.choice(len(bags), draws, p=balance(bags, sampling))
    chosen = [bags[i] for i in index]
    if noise:
        for i in np.flatnonzero(rng.random(draws) < noise_share):
            chosen[i], index[i] = noise[int(rng.integers(len(noise)))], -1
    for start in range(0, draws - 1, batch):
        members = chosen[start : start + batch]
        mixed = None
        if noise:
            picked = [noise[int(i)] for i in rng.integers(len(noise), size=len(members))]
            mixed = stack(picked, cropping, rng).log_mel
        stacked = stack(members, cropping, rng)
        yield stacked._replace(which=torch.from_numpy(index[start : start + batch])), mixed


def stack(bags: Sequence[Bag], cropping: Cropping, rng: np.random.Generator | None = None) -> Batch:
    """Crop or pad bags to one length.

    With `rng`, it takes a random part of a random version of each bag; without it, the beginning of the unchanged
    sound. `which` counts the bags.
    """
    segments = cropping.segments
    log_mel = np.full((len(bags), frames_for(segments), MEL_BINS), cropping.log_floor, np.float32)
    speech = np.zeros((len(bags), segments), np.float32)
    present = np.zeros((len(bags), segments), np.float32)
    for row, bag in enumerate(bags):
        start, count = _part(bag, cropping, rng) if rng else (0, min(segments, bag.segments))
        part = _version(bag, rng)[HOP_FRAMES * start :][: frames_for(count)]
        log_mel[row, : len(part)] = part
        speech[row, :count] = bag.speech[start : start + count]
        present[row, :count] = 1
    labels = torch.tensor([bag.label for bag in bags])
    index = torch.arange(len(bags))
    return Batch(torch.from_numpy(log_mel), labels, torch.from_numpy(speech), torch.from_numpy(present), index)


def _version(bag: Bag, rng: np.random.Generator | None) -> Frames:
    several = len(bag.versions) > 1 and rng is not None
    return bag.versions[int(rng.integers(len(bag.versions)))]() if several and rng else bag.frames


def frames_for(segments: int) -> int:
    """Number of frames that hold this many segments."""
    return SEGMENT_FRAMES + HOP_FRAMES * (segments - 1)


def _part(bag: Bag, cropping: Cropping, rng: np.random.Generator) -> tuple[int, int]:
    """First segment and number of segments of a random crop, which holds speech where the bag does.

    Without a margin, the crop reaches into the speech by at least half of its own length.
    """
    segments, spoken = cropping.segments, np.flatnonzero(bag.speech > 0.5)
    if cropping.margin is not None and len(spoken):
        before, after = (int(one) for one in rng.integers(cropping.margin + 1, size=2))
        first, last = max(0, int(spoken[0]) - before), min(bag.segments, int(spoken[-1]) + 1 + after)
        start = first + int(rng.integers(max(1, last - first - segments + 1)))
        return start, min(segments, last - start)
    latest = max(0, bag.segments - segments)
    low, high = 0, latest
    if len(spoken):
        low = min(latest, max(0, spoken[0] - segments // 2))
        high = min(latest, max(low, spoken[-1] - segments // 2))
    start = int(rng.integers(low, high + 1))
    return start, min(segments, bag.segments - start)


def augment(
    batch: Batch, noise: Tensor | None, settings: Augment, log_floor: float, generator: torch.Generator
) -> Batch:
    """Apply the random changes of the settings; the shapes stay the same, and no value is below the floor."""
    x, speech = batch.log_mel, batch.speech
    size = len(x)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(size, 1, 1, generator=generator, device=batch.log_mel.device) * (high - low) + low

    def sometimes(probability: float) -> Tensor:
        return torch.rand(size, 1, 1, generator=generator, device=batch.log_mel.device) < probability

    time = 1 + uniform(-settings.time_warp, settings.time_warp)
    x = _stretch(x, time, 1 + uniform(-settings.frequency_warp, settings.frequency_warp))
    speech = _stretch(speech.unsqueeze(-1), time, torch.ones_like(time)).squeeze(-1) * batch.present
    ramp = torch.linspace(-0.5, 0.5, MEL_BINS, device=x.device)
    x = x + NEPERS_PER_DB * uniform(-settings.tilt_db, settings.tilt_db) * ramp
    if settings.equaliser_db:
        points = torch.rand(size, 1, EQUALISER_POINTS, generator=generator, device=x.device) * 2 - 1
        response = functional.interpolate(points, MEL_BINS, mode="linear", align_corners=True)
        x = x + NEPERS_PER_DB * settings.equaliser_db * response
    if settings.reverberation_probability:
        late = _late(x, uniform(*settings.reverberation_s)) + NEPERS_PER_DB * uniform(*settings.late_db)
        x = torch.where(sometimes(settings.reverberation_probability), torch.logaddexp(x, late), x)
    if noise is not None:
        level = _level(x) - _level(noise) - NEPERS_PER_DB * uniform(*settings.noise_snr_db)
        sounding = noise.amax(dim=(1, 2), keepdim=True) > log_floor  # digital silence cannot be scaled to a level
        x = torch.where(sometimes(settings.noise_probability) & sounding, torch.logaddexp(x, noise + level), x)
    x = x + NEPERS_PER_DB * uniform(-settings.gain_db, settings.gain_db)
    if settings.hiss_probability:
        hiss = _hiss(x, NEPERS_PER_DB * uniform(*settings.hiss_db), generator)
        x = torch.where(sometimes(settings.hiss_probability), torch.logaddexp(x, hiss), x)
    bins = torch.arange(MEL_BINS, device=x.device)
    x = x.masked_fill(sometimes(settings.telephone_probability) & (bins >= _TELEPHONE_BIN), log_floor)
    x = x.clamp_min(log_floor)
    width = uniform(0, settings.mask_bins + 1).floor()
    first = (uniform(0, 1) * (MEL_BINS - width)).floor()
    masked = (bins >= first) & (bins < first + width)
    x = torch.where(masked, x.mean(dim=(1, 2), keepdim=True), x)
    return batch._replace(log_mel=x, speech=speech)


def _late(x: Tensor, reverberation_s: Tensor) -> Tensor:
    """Log-Mel of the late reverberation of frames (B, T, 64); the same shape.

    Earlier sound fades by 60 dB in the reverberation time, (B, 1, 1), and adds in power (Polack's model of a room).
    The total power is that of the frames, except for the tail that is cut off.
    """
    step = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
    passed = step.unsqueeze(1) - step
    fade = NEPERS_PER_DB * 60 * FRAME_STEP_S / reverberation_s  # of a frame's power, in nepers
    kept = torch.where(passed > 0, (-fade * (passed - 1)).exp() * -(-fade).expm1(), 0)
    return (kept @ x.exp()).clamp_min(1e-30).log()


def _hiss(like: Tensor, level: Tensor, generator: torch.Generator) -> Tensor:
    """Log-Mel of white noise in the shape of `like`; `level`, (B, 1, 1), is the natural log of its share of full scale.

    The energy of a bin is close to the mean of two exponentially distributed values.
    """
    draws = torch.rand(2, *like.shape, generator=generator, device=like.device).clamp_min(1e-9)
    return level + _WHITE.to(like.device) + (-draws.log()).mean(0).log()


def _level(log_mel: Tensor) -> Tensor:
    """Log of the mean energy of each spectrogram, (B, 1, 1)."""
    return torch.logsumexp(log_mel.flatten(1), 1)[:, None, None]


def _stretch(x: Tensor, time: Tensor, frequency: Tensor) -> Tensor:
    """Scale the two axes of (B, T, M) about the middle of time and the lowest bin, by factors (B, 1, 1)."""
    theta = torch.zeros(len(x), 2, 3, device=x.device)
    theta[:, 0, 0] = frequency[:, 0, 0]
    theta[:, 0, 2] = frequency[:, 0, 0] - 1
    theta[:, 1, 1] = time[:, 0, 0]
    grid = functional.affine_grid(theta, [len(x), 1, *x.shape[1:]], align_corners=False)
    return functional.grid_sample(x.unsqueeze(1), grid, padding_mode="border", align_corners=False).squeeze(1)
