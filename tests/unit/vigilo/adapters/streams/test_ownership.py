"""A worker that was silent longer than its session owns nothing any more."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.protocol.group import HeartbeatRequest, LeaveGroupRequest, SyncGroupRequest

from vigilo.adapters.streams.ownership import Ownership, OwnershipLost, boottime, watch_heartbeats


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Answer:
    """What the broker says."""

    def __init__(self, error_code: int) -> None:
        self.error_code = error_code


class Coordinator:
    """Answers after `delay` seconds of the clock."""

    def __init__(self, clock: Clock, *, error_code: int = 0, delay: float = 0.0) -> None:
        self.clock, self.error_code, self.delay = clock, error_code, delay

    async def _send_req(self, request: Any) -> Answer:
        self.clock.now += self.delay
        return Answer(self.error_code)


def test_before_the_first_heartbeat_nothing_is_owned() -> None:
    with pytest.raises(OwnershipLost, match="none"):
        Ownership(8.0, now=Clock()).check()


def test_a_heartbeat_is_good_for_less_than_the_session_timeout() -> None:
    clock = Clock()
    ownership = Ownership(8.0, now=clock)
    ownership.heard(100.0)
    clock.now = 107.9
    ownership.check()
    clock.now = 108.0
    with pytest.raises(OwnershipLost, match=r"8\.0 s old"):
        ownership.check()


def test_an_event_of_another_generation_is_not_ours() -> None:
    ownership = Ownership(8.0, now=Clock())
    ownership.heard(100.0)
    ownership.check_generation(4, 4)
    with pytest.raises(OwnershipLost, match="generation 3"):
        ownership.check_generation(3, 4)


@pytest.mark.parametrize(
    ("request_type", "error_code", "age"),
    [
        (HeartbeatRequest, 0, 2.0),
        (HeartbeatRequest, 27, 2.0),
        (SyncGroupRequest, 0, 2.0),
        (HeartbeatRequest, 25, None),
        (HeartbeatRequest, 22, None),
        (LeaveGroupRequest, 0, None),
    ],
)
async def test_answered_heartbeats_count_from_when_they_were_sent(
    request_type: type[Any], error_code: int, age: float | None
) -> None:
    clock = Clock()
    ownership = Ownership(8.0, now=clock)
    coordinator = Coordinator(clock, error_code=error_code, delay=2.0)
    watch_heartbeats(coordinator, ownership)
    await coordinator._send_req(object.__new__(request_type))
    assert ownership.age_s == age


def test_a_late_answer_never_makes_a_heartbeat_older() -> None:
    clock = Clock()
    ownership = Ownership(8.0, now=clock)
    ownership.heard(99.0)
    ownership.heard(95.0)
    assert ownership.age_s == 1.0


def test_the_clock_moves_forward() -> None:
    assert boottime() <= boottime()
