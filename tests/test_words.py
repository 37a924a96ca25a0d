"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from rtser.words import counted


@pytest.mark.parametrize(("number", "words"), [(0, "0 speakers"), (1, "1 speaker"), (2, "2 speakers")])
def test_one_is_in_the_singular(number, words):
    assert counted(number, "speaker") == words
