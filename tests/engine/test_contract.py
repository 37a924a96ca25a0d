from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.engine.contract import HOP_SAMPLES, LEAD_SAMPLES, segment_count, segment_end_s, window_segments


@given(st.integers(0, 10**12))
def test_segments_follow_the_formula(samples):
    assert segment_count(samples) == (1 + (samples - 5360) // 960 if samples >= 5360 else 0)


@given(st.integers(0, 10**6))
def test_a_stream_of_whole_hops_after_its_lead_completes_a_segment_at_each_hop_from_the_sixth_on(samples):
    hops = (samples + LEAD_SAMPLES) // HOP_SAMPLES
    assert segment_count(samples) == max(0, hops - 5)


@pytest.mark.parametrize(("seconds", "segments"), [(0.335, 1), (0.394, 1), (0.395, 2), (2.07, 29), (4.55, 71)])
def test_window_holds_whole_segments(seconds, segments):
    assert window_segments(seconds) == segments


def test_a_segment_ends_where_its_last_sample_does():
    assert [segment_end_s(k) for k in range(3)] == pytest.approx([0.335, 0.395, 0.455])
