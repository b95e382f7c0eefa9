"""The one loop of a stream service: gather, decide, evolve, emit, acknowledge, one batch after the other.

Each record counts for itself, as if it came alone (deciding.py); a batch shares the waiting (writing.py).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from vigilo.adapters.streams.batch import Batches
from vigilo.adapters.streams.deciding import Decider, Step
from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.positions import Place, TopicPartition
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.table import ChangelogTable
from vigilo.adapters.streams.writing import Writing
from vigilo.events.envelope import Record
from vigilo.ports.deadletters import StopLimit, TooManyDeadLetters

logger = logging.getLogger("vigilo.streams")

S = TypeVar("S", bound=BaseModel)

_TOPIC_LOOK_S = 2.0
_TOPIC_SAY_S = 5.0
# Deciding goes on for so long before the process's other work has its turn.
_BREATH_S = 0.02


@dataclass(slots=True, kw_only=True)
class Loop(Generic[S]):
    """Applies one batch after the other; whatever goes wrong inside ends the process."""

    app: Any
    settings: StreamSettings
    hooks: Hooks
    guard: ChangelogTable
    sides: Mapping[str, ChangelogTable]
    decider: Decider[S]
    writing: Writing
    limit: StopLimit
    processed: int = 0
    batches: int = 0
    refused: int = 0
    # The logical name of an output topic that is waited for; None while nothing is missing.
    missing_topic: str | None = None

    async def run(self, stream: Any) -> None:
        """The agent. Never returns while the service runs: an exception that left it would acknowledge its event."""
        ours = stream.noack()

        def more() -> bool:
            return self.app.consumer.handing_over or not ours.channel.queue.empty()

        batches = Batches(ours.events(), limit=self.settings.batch_size, more=more)
        try:
            while batch := await batches.next():
                await self.handle(batch)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.hooks.end("the stream loop failed", error)
        finally:
            batches.close()
        if not self.app.should_stop:
            self.hooks.end("the stream loop ended", None)

    async def handle(self, batch: Sequence[Any]) -> None:
        """Applies events of different keys and one generation, and acknowledges them in order."""
        generation = batch[0].message.generation_id

        def check_owned() -> None:
            self.hooks.ownership.check_generation(generation, self.app.consumer_generation_id)

        check_owned()
        steps, too_many = await self._decide(batch)
        await self._await_topics(steps)
        await self.writing.apply(steps, check_owned=check_owned)
        self._count(steps)
        self.batches += 1
        if too_many is not None:
            raise too_many
        for event in batch:
            event.ack()

    async def _decide(self, batch: Sequence[Any]) -> tuple[list[Step], TooManyDeadLetters | None]:
        """The steps of the records that were not processed before, in order; the last one if there it must stop."""
        steps: list[Step] = []
        breath = time.monotonic()
        for event in batch:
            message = event.message
            record = self._record(message)
            if not await self._is_next(message.tp, record):
                continue
            self.hooks.positions.take(message.tp, record.offset)
            steps.append(self.decider.step(record, owes=(record.key or b"") in self.writing.memory.unconfirmed))
            try:
                self._judge(steps[-1])
            except TooManyDeadLetters as too_many:
                return steps, too_many
            if time.monotonic() - breath > _BREATH_S:
                await asyncio.sleep(0)
                breath = time.monotonic()
        return steps, None

    def _judge(self, step: Step) -> None:
        if step.letter is not None:
            self.limit.refused()
        elif step.plan is not None:
            self.limit.accepted()

    def _count(self, steps: Sequence[Step]) -> None:
        """Moves the positions, in order. Without an await: what is committed is never a part of a batch."""
        now = time.monotonic()
        for step in steps:
            record = step.record
            if step.letter is not None:
                self.refused += 1
                logger.warning(
                    "dead letter: %s in %s/%d/%d", step.refused, record.topic, record.partition, record.offset
                )
            self.processed += 1
            tp = (self.settings.physical(record.topic), record.partition)
            self.hooks.positions.processed(tp, record.offset, now=now)

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

    async def remove_committed(self) -> None:
        """Removes the rows of deleted keys once their inputs are committed."""
        await self.writing.remove_committed(self._is_committed)

    def _is_committed(self, place: TopicPartition, offset: int) -> bool:
        topic, partition = place
        committed = self.hooks.positions.committed_offset((self.settings.physical(topic), partition))
        return committed is not None and offset < committed

    async def _await_topics(self, steps: Sequence[Step]) -> None:
        """Waits until the topics of all outputs exist: nothing is written yet, so nothing can be lost."""
        for topic in {event.topic for step in steps for event in (*step.owed, *step.said)}:
            await self._await_topic(topic)

    async def _await_topic(self, topic: str) -> None:
        said_at = -_TOPIC_SAY_S
        while not await self.hooks.outlet.topic_exists(self.settings.physical(topic)):
            self.missing_topic = topic
            if time.monotonic() - said_at >= _TOPIC_SAY_S:
                logger.warning("waiting: missing topic %s; run `vigilo topics apply`", self.settings.physical(topic))
                said_at = time.monotonic()
            await asyncio.sleep(_TOPIC_LOOK_S)
        self.missing_topic = None
