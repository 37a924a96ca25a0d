"""The table of tools/measure_joined.py."""

from __future__ import annotations

import math
import sys

import pytest
from conftest import ROOT

pytest.importorskip("rtser_train")
sys.path.insert(0, str(ROOT / "tools"))
import measure_joined


def test_a_row_has_means_and_ranges():
    low, high = [1.0] * len(measure_joined.FIGURES), [2.0] * len(measure_joined.FIGURES)
    assert measure_joined.cells([low, high]).split(" | ")[1] == "1.5 (1.0 to 2.0)"
    assert measure_joined.cells([low, low]).split(" | ")[1] == "1.0"


def test_a_draw_without_anything_to_count_is_left_out_of_a_figure():
    known, unknown = [1.0] * len(measure_joined.FIGURES), [math.nan] * len(measure_joined.FIGURES)
    assert measure_joined.cells([known, unknown]) == measure_joined.cells([known])
    assert measure_joined.cells([unknown]).split(" | ")[1] == "-"
