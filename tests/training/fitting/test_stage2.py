"""Stage 2: windows of embeddings, and decisions on them."""

from __future__ import annotations

import numpy as np
import torch
from rtser_train.fitting.embeddings import score
from rtser_train.fitting.stage2 import decide, windows
from rtser_train.registry import HEADS
from training.bags import embedded


def test_windows_are_masked_beyond_what_was_drawn():
    rng = np.random.default_rng(0)
    for _ in range(50):
        embeddings, gate, _ = windows([embedded(torch.ones(9, 4)), embedded(torch.ones(40, 4))], 20, rng)
        assert ((embeddings.sum(-1) > 0) == (gate > 0)).all()
        assert (gate.sum(1) >= 1).all()
        assert gate[0].sum() <= 9


def test_the_last_window_with_enough_speech_is_the_one_that_counts():
    generator = torch.Generator().manual_seed(1)
    network = HEADS.get("feature-att")(4, 2, 12, 0.4)
    speech = torch.randn(10, 4, generator=generator)
    alone = embedded(speech)
    trailing = embedded(torch.cat([speech, torch.randn(30, 4, generator=generator)]), [1.0] * 10 + [0.0] * 30)
    silent = embedded(speech, [0.0] * 10)
    logits, heard = decide(network, [alone, trailing, silent], window=10)
    assert logits[2].isnan().all()
    assert score([silent], logits[2:])["mean"] == 0
    expected = network(speech[-3:].unsqueeze(0), torch.ones(1, 3))[0]
    assert torch.allclose(logits[1], expected, atol=1e-5)
    assert heard.tolist() == [10, 3, 0]
