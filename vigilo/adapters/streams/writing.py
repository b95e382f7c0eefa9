"""Evolve and emit for a batch, in rounds: each round's records are handed over together and awaited together.

The rounds are what is owed from before a crash, side rows, guard rows, outboxes with dead letters, side drops. A key
has one step in a batch, so of each key they are what one event by itself would write, in that order.

SIGKILL may come between any two lines. No input of the batch is committed then, so all come again, and each key's guard
row says which of these is true of it:

- no row of the batch in the changelog (also: only its side row, in the slot that does not count): it is decided anew;
  nobody has seen the first decision, for outboxes begin only once the rows of all keys that have one are durable;
- the row is there, its outbox is not out, or out in part, or not acknowledged: the row owes it. It goes out as stored,
  when its input comes again or before another topic's event replaces it, whichever is first;
- what was owed is out, in part or whole: the old row still says so, and it goes out again with the same ids and bytes.

No key looks at another key's row, so it does not matter of which keys the batch's rows arrived. Positions move when
everything is acknowledged, without a pause in between: a commit covers whole batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from vigilo.adapters.streams.deciding import Step
from vigilo.adapters.streams.memory import KeyMemory
from vigilo.adapters.streams.outlet import Outlet
from vigilo.adapters.streams.plan import Plan
from vigilo.adapters.streams.positions import TopicPartition
from vigilo.adapters.streams.timers import Timers


class Puts(Protocol):
    """A table's writing end."""

    async def put(self, partition: int, key: bytes, value: bytes | None) -> asyncio.Future[Any]:
        """Sets a row (None removes it); the future is the changelog's acknowledgement."""
        ...


@dataclass(slots=True, kw_only=True)
class Writing:
    """Writes the steps of batches and keeps the memory of their keys."""

    outlet: Outlet
    guard: Puts
    sides: Mapping[str, Puts]
    timers: Timers
    memory: KeyMemory = field(default_factory=KeyMemory)

    async def apply(self, steps: Sequence[Step], *, check_owned: Callable[[], None]) -> None:
        """All rounds; `check_owned` is asked before each and raises if the partitions may be somebody else's."""
        planned = [(step, step.plan) for step in steps if step.plan is not None]
        check_owned()
        await self._emit(event for step in steps for event in step.owed)
        check_owned()
        await self._put_sides(planned)
        check_owned()
        await self._put_rows(planned)
        check_owned()
        await self._emit(event for step in steps for event in step.said)
        await self._drop_sides(planned)
        self._remember(steps)

    async def remove_committed(self, is_committed: Callable[[TopicPartition, int], bool]) -> None:
        """Removes the rows of deleted keys whose inputs (logical names) are all committed: none can come again."""
        for (partition, key), offsets in tuple(self.memory.deleted.items()):
            if all(is_committed((topic, partition), offset) for topic, offset in offsets.items()):
                async with self.memory.writing:
                    if self.memory.deleted.pop((partition, key), None) is not None:
                        await self.guard.put(partition, key, None)

    async def _emit(self, events: Any) -> None:
        await self.outlet.emit(events)

    async def _put_sides(self, planned: Sequence[tuple[Step, Plan]]) -> None:
        acknowledgements = [
            await self.sides[put.table].put(step.record.partition, put.key, put.value)
            for step, plan in planned
            for put in plan.side_puts
        ]
        for acknowledgement in acknowledgements:
            await acknowledgement

    async def _put_rows(self, planned: Sequence[tuple[Step, Plan]]) -> None:
        """Writes the rows and awaits those that something else rests on; the others are awaited by the next commit."""
        awaited: list[asyncio.Future[Any]] = []
        for step, plan in planned:
            if plan.row is not None:
                acknowledgement = await self._put_row(step.record.partition, step.key, plan.row)
                if plan.outbox or plan.side_puts or plan.side_drops:
                    awaited.append(acknowledgement)
        for acknowledgement in awaited:
            await acknowledgement

    async def _put_row(self, partition: int, key: bytes, row: bytes) -> asyncio.Future[Any]:
        async with self.memory.writing:
            self.memory.deleted.pop((partition, key), None)
            return await self.guard.put(partition, key, row)

    async def _drop_sides(self, planned: Sequence[tuple[Step, Plan]]) -> None:
        for step, plan in planned:
            for drop in plan.side_drops:
                await self.sides[drop.table].put(step.record.partition, drop.key, None)

    def _remember(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.confirms:
                self.memory.unconfirmed.discard(step.key)
            plan = step.plan
            if plan is not None and plan.row is not None:
                self.timers.set(step.record.partition, step.key.decode("utf-8"), plan.next_at)
                if plan.offsets_of_deleted is not None:
                    self.memory.deleted[step.record.partition, step.key] = plan.offsets_of_deleted
