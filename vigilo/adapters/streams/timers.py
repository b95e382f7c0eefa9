"""One due time per key, one heap per partition. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime


class Timers:
    """Who is to be woken when. A key is handed out once per due time; setting it anew hands it out again."""

    def __init__(self) -> None:
        self._due: dict[int, dict[str, datetime]] = {}
        self._sent: dict[int, dict[str, datetime]] = {}
        self._heaps: dict[int, list[tuple[datetime, str]]] = {}

    def add_partition(self, partition: int, timers: Iterable[tuple[str, datetime]]) -> None:
        """Begins a recovered partition with the timers of its rows."""
        due = dict(timers)
        heap = [(at, key) for key, at in due.items()]
        heapq.heapify(heap)
        self._due[partition], self._sent[partition], self._heaps[partition] = due, {}, heap

    def drop_all(self) -> None:
        """Forgets everything: the partitions are being reassigned."""
        self._due, self._sent, self._heaps = {}, {}, {}

    def set(self, partition: int, key: str, at: datetime | None) -> None:
        """The key's only timer; None for none. A partition that was not added is ignored."""
        due = self._due.get(partition)
        if due is None or due.get(key) == at:
            return
        self._sent[partition].pop(key, None)
        if at is None:
            due.pop(key, None)
            return
        due[key] = at
        heapq.heappush(self._heaps[partition], (at, key))

    def take_due(self, now: datetime, *, limit: int) -> list[tuple[int, str, datetime]]:
        """At most `limit` timers that are due: (partition, key, due)."""
        taken: list[tuple[int, str, datetime]] = []
        for partition, heap in self._heaps.items():
            while heap and heap[0][0] <= now and len(taken) < limit:
                at, key = heapq.heappop(heap)
                if self._due[partition].get(key) == at and self._sent[partition].get(key) != at:
                    self._sent[partition][key] = at
                    taken.append((partition, key, at))
        return taken

    def next_due(self) -> datetime | None:
        """The earliest instant at which something may be due."""
        return min((heap[0][0] for heap in self._heaps.values() if heap), default=None)

    def __len__(self) -> int:
        return sum(map(len, self._due.values()))
