"""Calibration: a temperature that depends on how much speech was heard."""

from __future__ import annotations

import pytest
import torch
from rtser_train.fitting.calibration import REFERENCE, Calibration, Heard, calibrate
from rtser_train.metrics import expected_calibration_error

SIZE = 8000


def said(temperatures, speech):
    """Logits that are too sure by these factors, and labels drawn from what they should say."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(SIZE, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
    return Heard(logits * temperatures.unsqueeze(-1), speech, labels)


def error(probabilities, labels):
    return expected_calibration_error(probabilities.double().numpy(), labels.numpy())


def test_a_temperature_mends_overconfidence():
    heard = said(torch.full((SIZE,), 3.0), torch.full((SIZE,), REFERENCE))
    found = calibrate([heard])
    assert found.temperature == pytest.approx(3, abs=0.2)
    mended = found.probabilities(heard.logits, heard.speech)
    assert error(mended, heard.labels) < 0.03 < error(heard.logits.softmax(-1), heard.labels)


@pytest.mark.parametrize("slope", [0.5, -0.3])
def test_the_temperature_follows_the_speech_that_was_heard(slope):
    speech = torch.linspace(0, 60, SIZE)
    heard = said(2 * ((1 + speech) / (1 + REFERENCE)) ** slope, speech)
    found = calibrate([heard])
    assert found.temperature == pytest.approx(2, abs=0.2)
    assert found.slope == pytest.approx(slope, abs=0.1)


def test_a_slope_that_is_known_is_kept_and_the_temperature_fits_it():
    speech = torch.linspace(0, 60, SIZE)
    heard = said(2 * ((1 + speech) / (1 + REFERENCE)) ** 0.4, speech)
    found = calibrate([heard], slope=0.4)
    assert found.slope == 0.4
    assert found.temperature == pytest.approx(2, abs=0.2)


def test_without_a_slope_the_speech_does_not_matter():
    logits = torch.randn(4, 3)
    little, much = (Calibration(2.0).probabilities(logits, torch.full((4,), speech)) for speech in (1.0, 60.0))
    assert torch.equal(little, much)


def test_what_several_networks_said_is_taken_together():
    first, second = (said(torch.full((SIZE,), factor), torch.full((SIZE,), REFERENCE)) for factor in (2.0, 4.0))
    assert calibrate([first]).temperature < calibrate([first, second]).temperature < calibrate([second]).temperature
