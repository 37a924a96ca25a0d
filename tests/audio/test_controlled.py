"""Sound that is paused, or begins anew."""

from __future__ import annotations

import numpy as np

from rtser.audio.controlled import controlled
from rtser.audio.source import Gap
from rtser.controls import Controls

HOP = np.ones(960, np.float32)


def course(*asked, chunk=HOP):
    """What comes of ten chunks; `asked`: what is asked for before which one."""
    controls = Controls()

    def chunks():
        for number in range(10):
            for at, ask in asked:
                if at == number:
                    ask(controls)
            yield chunk

    return list(controlled(chunks(), controls))


def gaps(pieces):
    return [(number, one.detail, one.missing_samples) for number, one in enumerate(pieces) if isinstance(one, Gap)]


def test_nothing_asked_changes_nothing():
    assert gaps(course()) == []
    assert len(course()) == 10


def test_paused_sound_is_thrown_away_and_the_gap_says_how_much():
    pieces = course((2, Controls.pause), (7, Controls.pause))
    assert gaps(pieces) == [(2, "paused", 0), (3, "paused for 0.3 s", 5 * 960)]
    assert len(pieces) == 2 + 2 + 3


def test_a_pause_until_the_end_counts():
    assert gaps(course((8, Controls.pause))) == [(8, "paused", 0), (9, "paused for 0.1 s", 2 * 960)]


def test_a_new_beginning_is_a_gap_without_missing_sound():
    pieces = course((4, Controls.restart))
    assert gaps(pieces) == [(4, "started anew", 0)]
    assert len(pieces) == 11


def test_a_pause_that_begins_with_a_loss_does_not_tell_of_a_pause_of_no_length():
    lost, back = Gap("lost", "gone"), Gap("open", "back", 960)
    controls = Controls()
    controls.pause()

    def chunks():
        yield from (lost, back)
        controls.pause()
        yield HOP

    pieces = list(controlled(chunks(), controls))
    assert [one.detail for one in pieces if isinstance(one, Gap)] == ["paused", "gone", "back"]
    assert pieces[-1] is HOP


def test_a_new_beginning_that_was_asked_for_after_the_end_of_the_last_source_is_done():
    controls = Controls()
    controls.restart()
    assert list(controlled([HOP], controls)) == [HOP]


def test_a_loss_in_a_pause_is_told_at_its_time():
    lost = Gap("lost", "gone")
    controls = Controls()
    controls.pause()
    pieces = list(controlled([HOP, lost, HOP], controls))
    assert [(one.detail, one.missing_samples) for one in pieces] == [
        ("paused", 0),
        ("paused for 0.1 s", 960),
        ("gone", 0),
        ("paused for 0.1 s", 960),
    ]
