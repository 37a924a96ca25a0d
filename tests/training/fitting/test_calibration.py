"""Calibration by one temperature."""

from __future__ import annotations

import pytest
import torch
from rtser_train.fitting.calibration import temperature
from rtser_train.metrics import expected_calibration_error


def test_temperature_mends_overconfidence():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
    assert temperature(3 * logits, labels) == pytest.approx(3, abs=0.2)
    sure, mended = (scaled.softmax(-1).double().numpy() for scaled in (3 * logits, logits))
    assert expected_calibration_error(mended, labels.numpy()) < 0.03 < expected_calibration_error(sure, labels.numpy())
