"""Which events share their waiting: what the stream has by now, each key once, all of one generation.

Never Faust's `take()`: it acknowledges events as it hands them over (measured: 1,000 committed, 0 rows).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

# Turns of the event loop (microseconds each) to wait for a record that Faust has fetched: it hands one over in about
# six, unless it drops what an earlier assignment left there.
_FRUITLESS_TURNS = 12


class BatchMessage(Protocol):
    """What decides about a batch; fields of Faust's Message."""

    partition: int
    key: bytes | None
    generation_id: int | None


class BatchEvent(Protocol):
    """A Faust event."""

    @property
    def message(self) -> Any:
        """Its Message."""
        ...


class Batch:
    """Events in the order they came."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys: set[tuple[int, bytes]] = set()
        self.events: list[Any] = []

    @property
    def full(self) -> bool:
        """True if there is no room."""
        return len(self.events) >= self._limit

    def add(self, event: BatchEvent) -> bool:
        """False if the event belongs into the next batch: full, a key that is here already, another generation.

        A key's second event needs the row that its first leaves behind, and its outbox gone: it comes after.
        """
        message: BatchMessage = event.message
        key = (message.partition, message.key or b"")
        if self.full or key in self._keys:
            return False
        if self.events and message.generation_id != self.events[0].message.generation_id:
            return False
        self._keys.add(key)
        self.events.append(event)
        return True


class Batches:
    """Batches of a stream's events, each closed as soon as nothing more is there: nobody waits for company.

    Meanwhile the next ones are taken out of the stream, as many as one batch may have. Faust counts those as in work,
    so a rebalance waits for them too.
    """

    def __init__(self, events: AsyncIterator[Any], *, limit: int, more: Callable[[], bool]) -> None:
        self._limit = limit
        self._more = more
        self._waiting: asyncio.Queue[Any] = asyncio.Queue(maxsize=limit)
        self._held: Any = None
        self._taking = asyncio.ensure_future(self._take(events))

    def close(self) -> None:
        """Takes no more."""
        self._taking.cancel()

    async def next(self) -> list[Any]:
        """The next batch; empty at the stream's end. Raises what ended the stream."""
        batch = Batch(self._limit)
        first = await self._waiting.get() if self._held is None else self._held
        self._held = None
        if first is _End:
            await self._taking
            return []
        batch.add(first)
        while not batch.full and await self._anything():
            self._held = self._waiting.get_nowait()
            if self._held is _End or not batch.add(self._held):
                break
            self._held = None
        return batch.events

    async def _anything(self) -> bool:
        for _ in range(_FRUITLESS_TURNS):
            if not self._waiting.empty():
                return True
            if not self._more():
                return False
            await asyncio.sleep(0)
        return not self._waiting.empty()

    async def _take(self, events: AsyncIterator[Any]) -> None:
        try:
            async for event in events:
                await self._waiting.put(event)
        except asyncio.CancelledError:
            raise
        except BaseException:
            await self._waiting.put(_End)
            raise
        await self._waiting.put(_End)


class _End:
    """Stands behind the last event."""
