"""Places inside a batch at which our worker sends itself SIGKILL: whole rows are durable, half an outbox is out, ..."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from tests.faults.streams import job
from vigilo.adapters.streams.deciding import Step
from vigilo.adapters.streams.loop import Loop
from vigilo.adapters.streams.outlet import Outlet
from vigilo.adapters.streams.writing import Writing

POINTS = {
    "decided": "a batch is decided, nothing is written",
    "half the rows": "half of the rows are in the changelog, outboxes of none are out",
    "all rows": "all rows are in the changelog, no outbox is out",
    "half the outboxes": "half of the outboxes are out",
    "outboxes on their way": "all outboxes are with the producer, no acknowledgement was seen",
    "all outboxes": "all outboxes are acknowledged, no position has moved",
    "positions": "the positions have moved, nothing is committed",
}
# Batches with fewer events do not count; of the others the third is the last.
_LEAST = 8
_BATCHES = 3


def install(point: str, *, rows: str = job.CHANGELOG) -> None:
    """Arms this process. Only for work with one row (in the changelog `rows`) and one outbox event per input."""
    killer = _Killer(point, rows)
    apply, write, handle = Writing.apply, Outlet.write, Loop.handle

    async def watched_apply(writing: Writing, steps: Sequence[Step], *, check_owned: Callable[[], None]) -> None:
        killer.begin(len(steps))
        killer.reached("decided")
        await apply(writing, steps, check_owned=check_owned)
        killer.reached("all outboxes")

    async def watched_write(outlet: Outlet, topic: str, *args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        acknowledgement = await write(outlet, topic, *args, **kwargs)
        await killer.written(topic, acknowledgement)
        return acknowledgement

    async def watched_handle(loop: Loop[Any], batch: Sequence[Any]) -> None:
        await handle(loop, batch)
        killer.reached("positions")

    Writing.apply = watched_apply  # type: ignore[assignment,method-assign]
    Outlet.write = watched_write  # type: ignore[assignment,method-assign]
    Loop.handle = watched_handle  # type: ignore[assignment,method-assign]


class _Killer:
    def __init__(self, point: str, rows: str) -> None:
        if point not in POINTS:
            raise ValueError(f"no such kill point: {point}")
        self._point = point
        self._changelog = rows
        self._batches = 0
        self._armed = False
        self._size = 0
        self._written: dict[str, list[asyncio.Future[Any]]] = {}

    def begin(self, size: int) -> None:
        """A batch of that many steps is about to be written."""
        self._size, self._written = size, {"rows": [], "outboxes": []}
        self._batches += size >= _LEAST
        self._armed = size >= _LEAST and self._batches >= _BATCHES

    def reached(self, point: str) -> None:
        """Dies if it is this point's turn."""
        if self._armed and self._point == point:
            os.kill(os.getpid(), signal.SIGKILL)

    async def written(self, topic: str, acknowledgement: asyncio.Future[Any]) -> None:
        """One record was handed over."""
        if not self._armed:
            return
        kind = "rows" if topic.endswith(self._changelog) else "outboxes"
        so_far = self._written[kind]
        so_far.append(acknowledgement)
        if (len(so_far), self._point) in {(self._size // 2, f"half the {kind}"), (self._size, f"all {kind}")}:
            await asyncio.gather(*so_far)
            self.reached(self._point)
        if len(so_far) == self._size and kind == "outboxes" and self._point == "outboxes on their way":
            await asyncio.sleep(0)
            self.reached(self._point)
