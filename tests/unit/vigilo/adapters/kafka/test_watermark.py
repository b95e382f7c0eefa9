"""The watermark never passes an unfinished record, in whatever order records finish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.adapters.kafka.watermark import Watermark


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Ascending offsets with gaps, and an order in which some of them finish."""
    steps = draw(st.lists(st.integers(1, 5), min_size=1, max_size=40))
    first = draw(st.integers(0, 10**12))
    offsets = [first + sum(steps[:index]) for index in range(len(steps))]
    order = draw(st.permutations(offsets))
    return offsets, order[: draw(st.integers(0, len(order)))]


def test_nothing_to_commit_before_anything_was_started() -> None:
    assert Watermark().next_offset is None


def test_started_but_unfinished_commits_only_itself() -> None:
    watermark = Watermark()
    watermark.start(7)
    assert (watermark.next_offset, watermark.unfinished) == (7, 1)


def test_a_late_first_record_releases_all_that_finished_after_it() -> None:
    watermark = Watermark()
    for offset in (3, 4, 9):
        watermark.start(offset)
    watermark.finish(9)
    watermark.finish(4)
    assert watermark.next_offset == 3
    watermark.finish(3)
    assert (watermark.next_offset, watermark.unfinished) == (10, 0)


@given(histories())
def test_everything_below_is_finished_and_the_offset_itself_is_not(history: tuple[list[int], list[int]]) -> None:
    offsets, finished = history
    watermark = Watermark()
    for offset in offsets:
        watermark.start(offset)
    for done, offset in enumerate(finished, start=1):
        before = watermark.next_offset
        watermark.finish(offset)
        now = watermark.next_offset
        assert before is not None
        assert now is not None
        assert now >= before
        left = set(offsets) - set(finished[:done])
        assert now == (min(left) if left else offsets[-1] + 1)
        assert watermark.unfinished == len(left)


@given(st.lists(st.sampled_from(["start", "finish-old", "finish-new"]), max_size=60))
def test_starting_and_finishing_may_be_mixed(actions: list[str]) -> None:
    watermark = Watermark()
    unfinished: list[int] = []
    following = 0
    for action in actions:
        if action == "start":
            watermark.start(following)
            unfinished.append(following)
            following += 1
        elif unfinished:
            watermark.finish(unfinished.pop(0 if action == "finish-old" else -1))
    expected = min(unfinished) if unfinished else following if following else None
    assert watermark.next_offset == expected


def test_nothing_finishes_twice() -> None:
    watermark = Watermark()
    watermark.start(1)
    watermark.finish(1)
    with pytest.raises(ValueError, match="offset 1 is not open"):
        watermark.finish(1)


def test_what_was_not_started_cannot_finish() -> None:
    with pytest.raises(ValueError, match="offset 5 is not open"):
        Watermark().finish(5)


def test_offsets_never_go_back() -> None:
    watermark = Watermark()
    watermark.start(5)
    with pytest.raises(ValueError, match="offset 5 started after 5"):
        watermark.start(5)
