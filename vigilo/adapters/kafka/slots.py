"""How many records may be unfinished at once, with room kept for what people wait for. Thread-safe."""

from __future__ import annotations

import threading


class Slots:
    """At most `total` slots are taken; lanes after the first may never take the last `reserved`.

    Lane 0 comes first: no other lane gets a slot while lane 0 waits for one.
    """

    def __init__(self, total: int, *, reserved: int = 0) -> None:
        if not 0 <= reserved < total:
            raise ValueError(f"reserved must be from 0 to {total - 1}: {reserved}")
        self._total = total
        self._reserved = reserved
        self._taken = 0
        self._first_waits = 0
        self._freed = threading.Condition()

    @property
    def taken(self) -> int:
        """How many slots are taken now."""
        return self._taken

    def take(self, lane: int, *, timeout: float) -> bool:
        """Takes a slot for a lane (0 = the first); False when none was free within `timeout` seconds."""
        with self._freed:
            self._first_waits += lane == 0
            try:
                if not self._freed.wait_for(lambda: self._free_for(lane), timeout):
                    return False
                self._taken += 1
                return True
            finally:
                self._first_waits -= lane == 0
                self._freed.notify_all()

    def give_back(self) -> None:
        """Frees one slot."""
        with self._freed:
            self._taken -= 1
            self._freed.notify_all()

    def _free_for(self, lane: int) -> bool:
        if lane == 0:
            return self._taken < self._total
        return not self._first_waits and self._taken < self._total - self._reserved
