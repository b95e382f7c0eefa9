"""Do the partitions still belong to this process? Nobody fences a Faust worker, so it asks itself before it writes.

A worker that was paused longer than the session timeout (a frozen VM, SIGSTOP) wakes up with events in hand whose
partitions belong to somebody else. It finds that its last answered heartbeat is too old, and ends. The clock counts
suspended time (CLOCK_BOOTTIME); time.monotonic() does not, in a suspended virtual machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

# RebalanceInProgress: the broker still counts the member as alive.
_ALIVE_CODES = frozenset({0, 27})


class OwnershipLost(Exception):
    """This process may no longer write: its partitions may belong to another worker."""


def boottime() -> float:
    """Seconds that also pass while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Ownership:
    """The generation this process is a member of, and when the group last heard from it.

    Written by the consumer's thread, read by the event loop: single assignments only.
    """

    def __init__(self, session_timeout_s: float, *, now: Callable[[], float] = boottime) -> None:
        self._session_timeout_s = session_timeout_s
        self._now = now
        self._heard_at: float | None = None

    def now(self) -> float:
        """The time by the clock that heartbeats are judged by."""
        return self._now()

    def heard(self, sent_at: float) -> None:
        """A heartbeat sent at that time was answered: the broker's session timer began no earlier."""
        if self._heard_at is None or sent_at > self._heard_at:
            self._heard_at = sent_at

    @property
    def age_s(self) -> float | None:
        """Seconds since the last answered heartbeat was sent; None before the first."""
        return None if self._heard_at is None else self._now() - self._heard_at

    def check(self) -> None:
        """Raises OwnershipLost unless the last good heartbeat is younger than the session timeout."""
        age = self.age_s
        if age is None or age >= self._session_timeout_s:
            raise OwnershipLost(
                f"the last good heartbeat is {'none' if age is None else f'{age:.1f} s old'}, "
                f"the session timeout is {self._session_timeout_s:g} s"
            )

    def check_generation(self, of_event: int | None, of_consumer: int) -> None:
        """Raises OwnershipLost if the event was fetched in another generation, or `check` does."""
        if of_event != of_consumer:
            raise OwnershipLost(f"the event is of generation {of_event}, the consumer of {of_consumer}")
        self.check()


def watch_heartbeats(coordinator: Any, ownership: Ownership) -> None:
    """Has `ownership` hear of every answered heartbeat of an aiokafka group coordinator.

    aiokafka keeps the time of the last good heartbeat in a local variable; all its requests pass `_send_req`.
    """
    send = coordinator._send_req

    async def timed(request: Any) -> Any:
        sent_at = ownership.now()
        response = await send(request)
        if isinstance(request, HeartbeatRequest | SyncGroupRequest) and response.error_code in _ALIVE_CODES:
            ownership.heard(sent_at)
        return response

    coordinator._send_req = timed
