"""One due time per key; a key is woken once per due time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vigilo.adapters.streams.timers import Timers

START = datetime(2026, 11, 23, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def timers(*due: tuple[str, int]) -> Timers:
    made = Timers()
    made.add_partition(0, [(key, at(second)) for key, second in due])
    return made


def test_due_timers_come_in_order_and_once() -> None:
    made = timers(("b", 2), ("a", 1), ("c", 9))
    assert made.take_due(at(5), limit=10) == [(0, "a", at(1)), (0, "b", at(2))]
    assert made.take_due(at(5), limit=10) == []
    assert made.next_due() == at(9)


def test_a_key_set_anew_is_woken_at_its_new_time_only() -> None:
    made = timers(("a", 1))
    made.set(0, "a", at(7))
    assert made.take_due(at(5), limit=10) == []
    assert made.take_due(at(8), limit=10) == [(0, "a", at(7))]


def test_a_row_written_again_with_the_same_due_time_is_not_woken_again() -> None:
    made = timers(("a", 1))
    assert len(made.take_due(at(5), limit=10)) == 1
    made.set(0, "a", at(1))
    assert made.take_due(at(6), limit=10) == []


def test_none_takes_the_timer_away() -> None:
    made = timers(("a", 1))
    made.set(0, "a", None)
    assert made.take_due(at(5), limit=10) == []
    assert len(made) == 0


def test_the_rest_is_left_for_the_next_look() -> None:
    made = timers(*((f"k{n}", n) for n in range(5)))
    assert [key for _, key, _ in made.take_due(at(9), limit=3)] == ["k0", "k1", "k2"]
    assert [key for _, key, _ in made.take_due(at(9), limit=3)] == ["k3", "k4"]


def test_partitions_that_are_not_ours_are_ignored_and_dropped() -> None:
    made = timers(("a", 1))
    made.set(3, "b", at(1))
    assert made.take_due(at(5), limit=10) == [(0, "a", at(1))]
    made.drop_all()
    assert made.next_due() is None
    made.set(0, "a", at(1))
    assert made.take_due(at(5), limit=10) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 20))), max_size=40))
def test_whatever_was_set_last_is_what_is_due(changes: list[tuple[str, int | None]]) -> None:
    made, last = Timers(), {}
    made.add_partition(0, [])
    for key, second in changes:
        made.set(0, key, None if second is None else at(second))
        last[key] = second
    due = {key: moment for _, key, moment in made.take_due(at(30), limit=100)}
    assert due == {key: at(second) for key, second in last.items() if second is not None}
