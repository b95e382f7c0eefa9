"""Slots bound what is unfinished and keep room for the first lane."""

from __future__ import annotations

import threading

import pytest

from vigilo.adapters.kafka.slots import Slots

FAST, SLOW = 0, 1


def test_no_more_than_the_total() -> None:
    slots = Slots(2)
    assert [slots.take(FAST, timeout=0) for _ in range(3)] == [True, True, False]
    slots.give_back()
    assert slots.take(FAST, timeout=0)
    assert slots.taken == 2


def test_the_last_slots_are_for_the_first_lane() -> None:
    slots = Slots(3, reserved=1)
    assert [slots.take(SLOW, timeout=0) for _ in range(3)] == [True, True, False]
    assert slots.take(FAST, timeout=0)


def test_the_first_lane_may_take_every_slot() -> None:
    slots = Slots(3, reserved=1)
    assert all(slots.take(FAST, timeout=0) for _ in range(3))
    assert not slots.take(SLOW, timeout=0)


def test_a_freed_slot_goes_to_the_waiting_first_lane() -> None:
    slots = Slots(1)
    assert slots.take(SLOW, timeout=0)
    got: list[int] = []

    def wait_for(lane: int) -> None:
        if slots.take(lane, timeout=5):
            got.append(lane)

    fast = threading.Thread(target=wait_for, args=(FAST,))
    fast.start()
    while not slots._first_waits:
        pass
    slow = threading.Thread(target=wait_for, args=(SLOW,))
    slow.start()
    slots.give_back()
    fast.join(5)
    assert got == [FAST]
    slots.give_back()
    slow.join(5)
    assert got == [FAST, SLOW]


@pytest.mark.parametrize("reserved", [-1, 3, 4])
def test_something_must_be_left_for_the_other_lanes(reserved: int) -> None:
    with pytest.raises(ValueError, match="reserved must be from 0 to 2"):
        Slots(3, reserved=reserved)
