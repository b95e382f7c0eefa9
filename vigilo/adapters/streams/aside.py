"""Work beside the loop whose failure must not go unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from vigilo.adapters.streams.ending import end_process


class Aside:
    """Runs awaitables in the background; one that fails ends the process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Awaitable[None]) -> None:
        """Starts the work."""
        task = asyncio.ensure_future(_awaited(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            end_process("work after an assignment failed", task.exception())


async def _awaited(work: Awaitable[None]) -> None:
    await work
