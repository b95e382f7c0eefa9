"""After recovery, before the first record: are the rows possible at all, whom to wake, what may still be owed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from faust.types import TP

from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.loop import Loop
from vigilo.adapters.streams.memory import KeyMemory
from vigilo.adapters.streams.plan import slot_of
from vigilo.adapters.streams.positions import Positions, TopicPartition
from vigilo.adapters.streams.rows import RowOutline, outline
from vigilo.adapters.streams.table import ChangelogTable
from vigilo.adapters.streams.timers import Timers

_ROWS_PER_BREATH = 500


@dataclass(frozen=True, slots=True)
class Ends:
    """Per (logical topic, partition): the next offset the topic will give, and the group's committed offset."""

    end: Mapping[TopicPartition, int]
    committed: Mapping[TopicPartition, int]

    def check_committed(self) -> None:
        """Raises InvariantBroken if an offset was committed that the topic never had."""
        for partition, committed in self.committed.items():
            if partition in self.end and committed > self.end[partition]:
                raise InvariantBroken(recreated(partition, committed, self.end[partition]))

    def check_row(self, row: RowOutline, partition: int) -> None:
        """Raises InvariantBroken if the row has applied an offset that the topic does not have."""
        for topic, offset in row.offsets.items():
            end = self.end.get((topic, partition))
            if end is not None and offset >= end:
                raise InvariantBroken(recreated((topic, partition), offset, end))

    def is_committed(self, topic: str, partition: int, offset: int) -> bool:
        """True if this input will not be delivered again."""
        return offset < self.committed.get((topic, partition), 0)


def recreated(partition: TopicPartition, offset: int, end: int) -> str:
    """What to tell the operator."""
    return (
        f"{partition[0]}/{partition[1]} ends at offset {end}, but offset {offset} was already applied: "
        "the topic was recreated. Its tables' changelog topics and its consumer group must go with it"
    )


async def ends_of(
    consumer: Any, positions: Positions, inputs: frozenset[TopicPartition], *, logical: Callable[[str], str]
) -> Ends:
    """The ends of the assigned input partitions (names as in Kafka)."""
    found = await consumer.highwaters(*(TP(*partition) for partition in inputs))
    return Ends(
        end={(logical(topic), number): end for (topic, number), end in found.items()},
        committed={
            (logical(topic), number): position.committed
            for (topic, number), position in positions.items()
            if position.committed is not None
        },
    )


async def survey_all(loop: Loop[Any], partitions: Iterable[int], ends: Ends, timers: Timers) -> KeyMemory:
    """What the loop has to know of the recovered partitions; fills `timers`. Raises as `survey`, `check_committed`."""
    ends.check_committed()
    memory = KeyMemory()
    for partition in sorted(partitions):
        found = await survey(loop.guard, loop.sides, partition, ends)
        timers.add_partition(partition, found.timers)
        memory.unconfirmed |= found.unconfirmed
        memory.deleted.update({(partition, key): offsets for key, offsets in found.deleted.items()})
    return memory


@dataclass(slots=True)
class Survey:
    """What the rows of one partition say."""

    timers: list[tuple[str, datetime]] = field(default_factory=list)
    unconfirmed: set[bytes] = field(default_factory=set)
    deleted: dict[bytes, Mapping[str, int]] = field(default_factory=dict)


async def survey(guard: ChangelogTable, sides: Mapping[str, ChangelogTable], partition: int, ends: Ends) -> Survey:
    """Reads all rows of one recovered partition. Raises InvariantBroken or UnreadableRow.

    Side rows that no guard row names (a crash came before it) are dropped from memory.
    """
    found = Survey()
    slots: dict[str, set[tuple[bytes, int]]] = {table: set() for table in sides}
    for number, (key, value) in enumerate(guard.rows.rows_of(partition)):
        if number % _ROWS_PER_BREATH == 0:
            await asyncio.sleep(0)
        row = outline(value)
        ends.check_row(row, partition)
        _note(found, key, row, ends)
        for table, slot in row.side.items():
            slots.setdefault(table, set()).add((key, slot))
    for table, side in sides.items():
        for key, _ in side.rows.rows_of(partition):
            if slot_of(key) not in slots[table]:
                side.rows.set_row(partition, key, None)
    return found


def _note(found: Survey, key: bytes, row: RowOutline, ends: Ends) -> None:
    if row.next_at is not None:
        found.timers.append((key.decode("utf-8"), row.next_at))
    pending = row.pending
    if pending is not None and not ends.is_committed(pending.topic, pending.partition, pending.offset):
        found.unconfirmed.add(key)
    if row.deleted:
        found.deleted[key] = row.offsets
