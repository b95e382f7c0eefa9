"""The one loop of a stream service: gather, decide, evolve, emit, acknowledge, one record after the other."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.inputs import InputReader
from vigilo.adapters.streams.plan import Plan, Planner, TooLarge, slot_key
from vigilo.adapters.streams.positions import Place
from vigilo.adapters.streams.rows import GuardRow, UnreadableRow
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.table import ChangelogTable
from vigilo.adapters.streams.timers import Timers
from vigilo.events.codec import UndecodableRecord
from vigilo.events.envelope import Record
from vigilo.ports.deadletters import StopLimit, dead_letter
from vigilo.ports.processing import Decision, Input, Processor

logger = logging.getLogger("vigilo.streams")

S = TypeVar("S", bound=BaseModel)

_TOPIC_LOOK_S = 2.0
_TOPIC_SAY_S = 5.0


@dataclass(slots=True)
class KeyMemory:
    """What the loop remembers of single keys between events, per assignment.

    `unconfirmed`: keys whose row holds an outbox that may never have been emitted, because its input is not yet
    committed. It goes out before anything else replaces it: after a crash another topic's event may come first.
    `deleted`: rows of deleted keys, (partition, key) to the offsets they guard, kept until these are committed.
    `writing` keeps the removal of such a row from overtaking a new one.
    """

    unconfirmed: set[bytes] = field(default_factory=set)
    deleted: dict[tuple[int, bytes], Mapping[str, int]] = field(default_factory=dict)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class SideRows(Mapping[str, BaseModel]):
    """One key's side rows, decoded when looked at."""

    def __init__(self, encoded: Mapping[str, bytes], models: Mapping[str, type[BaseModel]]) -> None:
        self._encoded = encoded
        self._models = models

    def __getitem__(self, table: str) -> BaseModel:
        try:
            return self._models[table].model_validate_json(self._encoded[table])
        except ValidationError as error:
            raise UnreadableRow(f"side table {table}: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)


@dataclass(slots=True, kw_only=True)
class Loop(Generic[S]):
    """Applies one record after the other; whatever goes wrong inside ends the process."""

    app: Any
    processor: Processor[S]
    settings: StreamSettings
    hooks: Hooks
    guard: ChangelogTable
    sides: Mapping[str, ChangelogTable]
    reader: InputReader
    planner: Planner[S]
    timers: Timers
    limit: StopLimit
    clock: Callable[[], datetime]
    memory: KeyMemory = field(default_factory=KeyMemory)
    processed: int = 0
    refused: int = 0
    # The clock's time at which an output's topic was found missing; None while nothing is missing.
    missing_topic: str | None = None

    async def run(self, stream: Any) -> None:
        """The agent. Never returns while the service runs: an exception that left it would acknowledge its event."""
        try:
            async for event in stream.noack().events():
                await self._handle(event.message)
                event.ack()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.hooks.end("the stream loop failed", error)
        if not self.app.should_stop:
            self.hooks.end("the stream loop ended", None)

    async def _handle(self, message: Any) -> None:
        record = self._record(message)
        generation = message.generation_id
        self._check_owned(generation)
        if not await self._is_next(message.tp, record):
            return
        try:
            given = self.reader.read(record)
        except UndecodableRecord as error:
            await self._refuse(record, error.reason, error.detail)
        else:
            await self._apply(given, generation)
        self.processed += 1
        self.hooks.positions.processed(message.tp, record.offset, now=time.monotonic())

    def _record(self, message: Any) -> Record:
        return Record(
            topic=self.settings.logical(message.topic),
            partition=message.partition,
            offset=message.offset,
            timestamp_ms=round(message.timestamp * 1000),
            key=message.key,
            value=message.value,
            headers=tuple((name, value or b"") for name, value in message.headers or ()),
        )

    async def _is_next(self, tp: Any, record: Record) -> bool:
        """False for a record already processed in this assignment. Raises InvariantBroken on a gap."""
        place = self.hooks.positions.place(tp, record.offset)
        if place is Place.GAP:
            start = (await self.app.consumer.earliest_offsets(tp))[tp]
            if start < record.offset:
                raise InvariantBroken(f"records are missing in {tp} before offset {record.offset}")
            logger.warning("%s lost records before offset %d to retention", tp, record.offset)
        return place is not Place.REPEATED

    async def _apply(self, given: Input, generation: int) -> None:
        # gather
        record = given.record
        key = record.key or b""
        encoded = self.guard.row(record.partition, key)
        row = None if encoded is None else self.planner.codec.decode(encoded)
        if row is not None and await self._was_applied(row, record, generation):
            return
        side_bytes = self._side_bytes(record.partition, key, row)
        # decide
        self._check_owned(generation)
        at = self.clock()
        try:
            decision = self._decide(row, side_bytes, given, at)
            plan = self.planner.plan(row, decision, record=record, at=at, side_bytes=side_bytes)
        except (TooLarge, _Refused) as error:
            await self._refuse(record, error.reason, error.detail)
            return
        await self._evolve_and_emit(plan, record, generation)
        self.limit.accepted()

    def _decide(
        self, row: GuardRow[S] | None, side_bytes: Mapping[str, bytes], given: Input, at: datetime
    ) -> Decision[S]:
        state = None if row is None else row.state
        try:
            decision = self.processor.decide(state, SideRows(side_bytes, self.processor.side_models), given, at=at)
        except UnreadableRow:
            raise
        except Exception as error:
            logger.exception("the decision failed for %s", given.record.topic)
            raise _Refused("processor-error", "".join(traceback.format_exception(error))) from error
        if decision.refused is not None:
            raise _Refused(decision.refused, "refused by the processor")
        if decision.next_at is not None and self.processor.wakeups_topic is None:
            raise InvariantBroken(f"{self.processor.service} asks for a wakeup but has no wakeups topic")
        return decision

    async def _was_applied(self, row: GuardRow[S], record: Record, generation: int) -> bool:
        """True for a redelivered input. Its outbox goes out again, as stored, if it may not have gone out before."""
        key = record.key or b""
        applied = row.applied(record.topic)
        if record.offset < applied:
            return True
        repeated = record.offset == applied and row.input.is_record(record)
        if row.outbox and (repeated or key in self.memory.unconfirmed):
            self._check_owned(generation)
            await self._emit(tuple(stored.encoded() for stored in row.outbox))
        self.memory.unconfirmed.discard(key)
        return record.offset == applied

    def _side_bytes(self, partition: int, key: bytes, row: GuardRow[S] | None) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for table, slot in ({} if row is None else row.side).items():
            value = self.sides[table].row(partition, slot_key(key, slot)) if table in self.sides else None
            if value is None:
                raise InvariantBroken(f"the row of {key!r} names a row of {table} that is not there")
            found[table] = value
        return found

    async def _evolve_and_emit(self, plan: Plan, record: Record, generation: int) -> None:
        key, partition = record.key or b"", record.partition
        for topic in {event.topic for event in plan.outbox}:
            await self._await_topic(topic)
        # evolve
        self._check_owned(generation)
        await self._put_sides(partition, plan.side_puts)
        if plan.row is not None:
            acknowledgement = await self._put_row(partition, key, plan.row)
            if plan.outbox or plan.side_puts or plan.side_drops:
                await acknowledgement
        # emit
        if plan.outbox:
            self._check_owned(generation)
            await self._emit(plan.outbox)
        for drop in plan.side_drops:
            await self.sides[drop.table].put(partition, drop.key, None)
        self._remember(plan, partition, key)

    async def _put_row(self, partition: int, key: bytes, row: bytes) -> asyncio.Future[Any]:
        async with self.memory.writing:
            self.memory.deleted.pop((partition, key), None)
            return await self.guard.put(partition, key, row)

    def side_rows(self, partition: int, key: bytes, row: GuardRow[S] | None) -> SideRows:
        """The side rows that belong to a guard row."""
        return SideRows(self._side_bytes(partition, key, row), self.processor.side_models)

    async def remove_committed(self) -> None:
        """Removes the rows of deleted keys whose inputs are all committed: none of them can come again."""
        for (partition, key), offsets in tuple(self.memory.deleted.items()):
            if all(self._is_committed(topic, partition, offset) for topic, offset in offsets.items()):
                async with self.memory.writing:
                    if self.memory.deleted.pop((partition, key), None) is not None:
                        await self.guard.put(partition, key, None)

    def _is_committed(self, topic: str, partition: int, offset: int) -> bool:
        committed = self.hooks.positions.committed_offset((self.settings.physical(topic), partition))
        return committed is not None and offset < committed

    async def _put_sides(self, partition: int, writes: tuple[Any, ...]) -> None:
        for acknowledgement in [await self.sides[one.table].put(partition, one.key, one.value) for one in writes]:
            await acknowledgement

    async def _emit(self, events: tuple[Any, ...]) -> None:
        await self.hooks.outlet.emit(events)

    def _remember(self, plan: Plan, partition: int, key: bytes) -> None:
        if plan.row is None:
            return
        self.timers.set(partition, key.decode("utf-8"), plan.next_at)
        if plan.offsets_of_deleted is not None:
            self.memory.deleted[partition, key] = plan.offsets_of_deleted

    async def _refuse(self, record: Record, reason: str, detail: str) -> None:
        """Writes the record, whole, to dead-letters. Raises TooManyDeadLetters."""
        letter = dead_letter(record, reason=reason, detail=detail, service=self.processor.service, at=self.clock())
        await self.hooks.outlet.emit([letter])
        self.refused += 1
        logger.warning("dead letter: %s in %s/%d/%d", reason, record.topic, record.partition, record.offset)
        self.limit.refused()

    async def _await_topic(self, topic: str) -> None:
        """Waits until the topic of an output exists: nothing is written yet, so nothing can be lost."""
        said_at = -_TOPIC_SAY_S
        while not await self.hooks.outlet.topic_exists(self.settings.physical(topic)):
            self.missing_topic = topic
            if time.monotonic() - said_at >= _TOPIC_SAY_S:
                logger.warning("waiting: missing topic %s; run `vigilo topics apply`", self.settings.physical(topic))
                said_at = time.monotonic()
            await asyncio.sleep(_TOPIC_LOOK_S)
        self.missing_topic = None

    def _check_owned(self, generation: int) -> None:
        self.hooks.ownership.check_generation(generation, self.app.consumer_generation_id)


class _Refused(Exception):
    """The processor refuses the input."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
