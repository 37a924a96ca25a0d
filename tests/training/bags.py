"""Bags without sound, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import Recording
from rtser_train.fitting.embeddings import Embedded

from rtser.engine.contract import MEL_BINS


def a_bag(segments=20, label=0, corpus="c", level=-8.0, speaker="s"):
    frames = np.random.default_rng(segments).normal(level, 1, (32 + 6 * (segments - 1), MEL_BINS)).astype(np.float32)
    speech = np.zeros(segments, np.float32)
    speech[segments // 2 :] = 1
    return Bag(Recording(Path("x.wav"), corpus, speaker, "sad", ""), label, speech, (lambda: frames,))


def embedded(embeddings, gate=None):
    segments = len(embeddings)
    gate = torch.ones(segments) if gate is None else torch.tensor(gate)
    return Embedded(a_bag(segments), embeddings, gate, torch.full((segments, 2), 0.5))
