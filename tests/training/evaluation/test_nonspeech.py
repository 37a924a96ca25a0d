"""False alarms."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import sound
from rtser_train.evaluation.nonspeech import FalseAlarms, false_alarms

from rtser.engine.contract import SAMPLE_RATE, segment_count
from rtser.settings import ListenSettings


def test_silence_raises_no_alarm(model):
    found = false_alarms(model, ListenSettings(), [np.zeros(2 * SAMPLE_RATE, np.float32)])
    assert found == FalseAlarms(1, 0, 2 * SAMPLE_RATE, segment_count(2 * SAMPLE_RATE), 0)
    assert (found.an_hour, found.taken_share) == (0, 0)


def test_a_label_counts_once_for_as_long_as_it_lasts(model):
    settings = ListenSettings.model_validate({"decide": {"label_threshold": 0.0, "leave_threshold": 0.0}})
    found = false_alarms(model, settings, [np.resize(sound(4, level=0.3), 4 * SAMPLE_RATE)])
    assert 0 < found.alarms <= 4
    assert found.taken > 10


def test_counts_of_several_sounds_are_added():
    pooled = FalseAlarms.pooled([FalseAlarms(1, 2, 1800 * SAMPLE_RATE, 10, 5), FalseAlarms(1, 1, 0, 10, 0)])
    assert (pooled.files, pooled.alarms, pooled.hours) == (2, 3, 0.5)
    assert (pooled.an_hour, pooled.taken_share) == (6, 0.25)


def test_no_sound_has_no_alarm():
    assert FalseAlarms.pooled([]).an_hour == pytest.approx(0)
