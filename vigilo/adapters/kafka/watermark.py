"""How far a partition may be committed when its records finish out of order. Pure."""

from __future__ import annotations

from collections import deque


class Watermark:
    """The unfinished records of one partition, within one assignment.

    Offsets are started in ascending order (gaps are allowed: compaction and transaction markers leave them) and finish
    in any order. `next_offset` never passes an unfinished record.
    """

    __slots__ = ("_next", "_started", "_unfinished")

    def __init__(self) -> None:
        self._started: deque[int] = deque()
        self._unfinished: set[int] = set()
        self._next: int | None = None

    @property
    def next_offset(self) -> int | None:
        """The offset to commit: everything before it is finished. None until a record was started."""
        return self._started[0] if self._started else self._next

    @property
    def unfinished(self) -> int:
        """How many started records are not finished."""
        return len(self._unfinished)

    def start(self, offset: int) -> None:
        """Counts a record as taken. Raises ValueError unless its offset is above all before it."""
        if self._next is not None and offset < self._next:
            raise ValueError(f"offset {offset} started after {self._next - 1}")
        self._started.append(offset)
        self._unfinished.add(offset)
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Counts a record as done. Raises ValueError for one that is not open; nothing finishes twice."""
        if offset not in self._unfinished:
            raise ValueError(f"offset {offset} is not open")
        self._unfinished.remove(offset)
        while self._started and self._started[0] not in self._unfinished:
            self._started.popleft()
