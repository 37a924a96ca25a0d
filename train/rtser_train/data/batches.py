"""Batches: random crops of bags, drawn in balance, and their augmentation in the log-Mel domain.

Augmenting spectrograms rather than waveforms costs no new feature extraction an epoch: a gain is an addition, and noise
adds in power. Every draw follows from (seed, epoch), so a resumed run sees the same batches.
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

from rtser.engine.contract import HOP_FRAMES, MEL_BINS, SEGMENT_FRAMES
from rtser_train.config import Augment
from rtser_train.data.bags import Bag
from rtser_train.front_end import HIGH_HZ, LOG_FLOOR, LOW_HZ, hertz_to_mel

NEPERS_PER_DB = float(np.log(10.0) / 10.0)
EQUALISER_POINTS = 6
TELEPHONE_HZ = 3_400.0
_TELEPHONE_BIN = int(
    MEL_BINS * (hertz_to_mel(TELEPHONE_HZ) - hertz_to_mel(LOW_HZ)) / (hertz_to_mel(HIGH_HZ) - hertz_to_mel(LOW_HZ))
)


class Batch(NamedTuple):
    """B random crops of S segments.

    Attributes:
        log_mel: (B, 32 + 6 (S - 1), 64).
        labels: (B,), class index, -1 without emotion.
        speech: (B, S), share of speech; 0 in padding.
        present: (B, S), 1 where the bag has a segment, 0 in padding.
    """

    log_mel: Tensor
    labels: Tensor
    speech: Tensor
    present: Tensor


def balance(bags: Sequence[Bag]) -> NDArray[np.float64]:
    """Probability of drawing each bag: corpora equally often, and the emotions of a corpus equally often."""
    cells = [(bag.recording.corpus, bag.label) for bag in bags]
    sizes = Counter(cells)
    emotions = Counter(corpus for corpus, _ in sizes)
    weights = np.array([1.0 / (emotions[corpus] * sizes[corpus, label]) for corpus, label in cells])
    total: float = weights.sum()
    return np.asarray(weights / total, np.float64)


def crops(
    bags: Sequence[Bag],
    noise: Sequence[Bag],
    segments: int,
    batch: int,
    draws: int,
    noise_share: float,
    rng: np.random.Generator,
) -> Iterator[tuple[Batch, Tensor | None]]:
    """An epoch of batches, each with noise spectrograms (B, T, 64) to mix in (None without noise recordings)."""
    chosen = [bags[i] for i in rng.choice(len(bags), draws, p=balance(bags))]
    if noise:
        for i in np.flatnonzero(rng.random(draws) < noise_share):
            chosen[i] = noise[int(rng.integers(len(noise)))]
    for start in range(0, draws - 1, batch):
        members = chosen[start : start + batch]
        mixed = None
        if noise:
            picked = [noise[int(i)] for i in rng.integers(len(noise), size=len(members))]
            mixed = stack(picked, segments, rng).log_mel
        yield stack(members, segments, rng), mixed


def stack(bags: Sequence[Bag], segments: int, rng: np.random.Generator | None = None) -> Batch:
    """Crop or pad bags to one length; a random start where `rng` is given, else the beginning."""
    frames = frames_for(segments)
    log_mel = np.full((len(bags), frames, MEL_BINS), LOG_FLOOR, np.float32)
    speech = np.zeros((len(bags), segments), np.float32)
    present = np.zeros((len(bags), segments), np.float32)
    for row, bag in enumerate(bags):
        start = _start(bag, segments, rng) if rng else 0
        count = min(segments, bag.segments - start)
        part = bag.frames[HOP_FRAMES * start :][:frames]
        log_mel[row, : len(part)] = part
        speech[row, :count] = bag.speech[start : start + count]
        present[row, :count] = 1
    labels = torch.tensor([bag.label for bag in bags])
    return Batch(torch.from_numpy(log_mel), labels, torch.from_numpy(speech), torch.from_numpy(present))


def frames_for(segments: int) -> int:
    """How many frames hold so many segments."""
    return SEGMENT_FRAMES + HOP_FRAMES * (segments - 1)


def _start(bag: Bag, segments: int, rng: np.random.Generator) -> int:
    """Start of a random crop that, where the bag holds speech, reaches into it by at least half its length."""
    latest = max(0, bag.segments - segments)
    spoken = np.flatnonzero(bag.speech > 0.5)
    low, high = 0, latest
    if len(spoken):
        low = min(latest, max(0, spoken[0] - segments // 2))
        high = min(latest, max(low, spoken[-1] - segments // 2))
    return int(rng.integers(low, high + 1))


def augment(batch: Batch, noise: Tensor | None, settings: Augment, generator: torch.Generator) -> Batch:
    """Random stretch, tilt, noise, level, telephone band and masks; the same shapes out."""
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
    if noise is not None:
        level = _level(x) - _level(noise) - NEPERS_PER_DB * uniform(*settings.noise_snr_db)
        sounding = noise.amax(dim=(1, 2), keepdim=True) > LOG_FLOOR  # digital silence cannot be scaled to a level
        x = torch.where(sometimes(settings.noise_probability) & sounding, torch.logaddexp(x, noise + level), x)
    x = x + NEPERS_PER_DB * uniform(-settings.gain_db, settings.gain_db)
    bins = torch.arange(MEL_BINS, device=x.device)
    x = x.masked_fill(sometimes(settings.telephone_probability) & (bins >= _TELEPHONE_BIN), LOG_FLOOR)
    x = x.clamp_min(LOG_FLOOR)
    width = uniform(0, settings.mask_bins + 1).floor()
    first = (uniform(0, 1) * (MEL_BINS - width)).floor()
    masked = (bins >= first) & (bins < first + width)
    x = torch.where(masked, x.mean(dim=(1, 2), keepdim=True), x)
    return batch._replace(log_mel=x, speech=speech)


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
