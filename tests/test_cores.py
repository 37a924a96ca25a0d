"""How many cores a process may use."""

from __future__ import annotations

import os

import pytest

from rtser import cores


@pytest.mark.parametrize(("content", "count"), [("max 100000", 8), ("250000 100000", 3), ("10000 100000", 1), ("?", 8)])
def test_a_containers_quota_counts_rounded_up_and_never_as_none(content, count, tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(cores, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores.cores() == count
