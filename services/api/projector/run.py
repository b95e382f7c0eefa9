"""The projector's loop: take what is there, admit it, store rows and offsets in one transaction, again.

One projector works at a time, the one whose session holds the lock; a second one stands by. Whatever goes wrong with a
connection or a position ends the session, and the next one starts from the stored offsets.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from services.api.projector.admission import TOPICS, Admitted, Refused, admit
from services.api.projector.bounds import KafkaUnreachable, bounds_of, skipped
from services.api.projector.store import Batch, OffsetsMoved, Positions, Store, Unstorable
from vigilo.adapters.kafka.batches import BatchConsumer, PositionLost
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent, Record
from vigilo.ports.deadletters import StopLimit, dead_letter

logger = logging.getLogger("vigilo.api.projector")

SERVICE: Final = "projector"
BATCH: Final = 500
IDLE: Final = timedelta(seconds=1)
_PROVE_SECONDS: Final = 10.0
_SILENCE_LIMIT_MS: Final = 30_000
_STANDBY_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
_EXPIRY_SECONDS: Final = 6 * 3600.0

Verdict = Admitted | Refused
SendAll = Callable[[Sequence[EncodedEvent]], Awaitable[object]]


@dataclass(slots=True)
class Progress:
    """What the projector is doing, for health and metrics. Written by its own thread alone."""

    phase: str = "starting"
    events: int = 0
    dead_letters: int = 0
    positions: Positions = field(default_factory=dict)
    committed: Callable[[Sequence[Record]], None] = lambda _: None


class Projection:
    """Turns records into committed rows; the same for the running projector and for a rebuild."""

    def __init__(
        self, store: Store, positions: Positions, *, partitions: Mapping[str, int], send: SendAll | None
    ) -> None:
        self._store = store
        self._partitions = partitions
        self._send = send
        self._limit = StopLimit()
        self.positions = positions
        self.refused = 0

    async def project(self, records: Sequence[Record]) -> None:
        """All of it is committed. Raises OffsetsMoved, TooManyDeadLetters, Undelivered, psycopg.OperationalError.

        Refused records are in dead-letters before the commit, so a crash may repeat one there but never lose it.
        """
        fresh = [
            record for record in records if record.offset >= self.positions[Partition(record.topic, record.partition)]
        ]
        if fresh:
            await self._commit([admit(record, partitions=self._partitions) for record in fresh])

    async def _commit(self, verdicts: Sequence[Verdict]) -> None:
        try:
            await self._commit_together(verdicts)
        except Unstorable as error:
            if len(verdicts) == 1:
                await self._commit_together([Refused(verdicts[0].record, "unstorable", str(error))])
            else:
                # Somewhere in here is a value PostgreSQL cannot hold: halves find it, the rest goes in.
                await self._commit(verdicts[: len(verdicts) // 2])
                await self._commit(verdicts[len(verdicts) // 2 :])

    async def _commit_together(self, verdicts: Sequence[Verdict]) -> None:
        batch = batch_of(verdicts, self.positions)
        limit = copy.deepcopy(self._limit)
        with self._store.applied(batch) as foreign:
            refused = refusals(verdicts, foreign)
            await self._bury(verdicts, refused, limit)
        self._limit = limit
        self.positions.update(batch.upto)
        self.refused += len(refused)

    async def _bury(self, verdicts: Sequence[Verdict], refused: Mapping[int, Refused], limit: StopLimit) -> None:
        if self._send is None:
            return  # a rebuild reads what the projector has judged already
        for verdict in verdicts:
            if id(verdict.record) in refused:
                limit.refused()
            else:
                limit.accepted()
        at = datetime.now(UTC)
        await self._send(
            [dead_letter(r.record, reason=r.reason, detail=r.detail, service=SERVICE, at=at) for r in refused.values()]
        )


def batch_of(verdicts: Sequence[Verdict], positions: Mapping[Partition, int]) -> Batch:
    """The batch of these records, which follow `positions`. Pure."""
    upto: Positions = {}
    for verdict in verdicts:
        upto[Partition(verdict.record.topic, verdict.record.partition)] = verdict.record.offset + 1
    admitted = [verdict for verdict in verdicts if isinstance(verdict, Admitted)]
    return Batch({partition: positions[partition] for partition in upto}, upto, admitted)


def refusals(verdicts: Sequence[Verdict], foreign: Sequence[Refused]) -> dict[int, Refused]:
    """The refused records of a batch, in its order, by the identity of the record object. Pure."""
    late = {id(one.record): one for one in foreign}
    found: dict[int, Refused] = {}
    for verdict in verdicts:
        if isinstance(verdict, Refused):
            found[id(verdict.record)] = verdict
        elif id(verdict.record) in late:
            found[id(verdict.record)] = late[id(verdict.record)]
    return found


class Projector:
    """Runs until `stop` is set. Create and run it in one event loop, which it may block for a batch's time."""

    def __init__(
        self, kafka: KafkaSettings, database_url: str, *, history: timedelta, send: SendAll, progress: Progress
    ) -> None:
        self._kafka = kafka
        self._url = database_url
        self._history = history
        self._send = send
        self._progress = progress
        self._stop = asyncio.Event()
        self._expire_next = 0.0

    def stop(self) -> None:
        """Ends `run` after the batch in hand."""
        self._stop.set()

    async def run(self) -> None:
        """Projects until stopped. Raises what no new session can repair: TopicRecreated, TooManyDeadLetters ..."""
        failures = 0
        while not self._stop.is_set():
            before = self._progress.events
            try:
                await self._session()
            except (OffsetsMoved, PositionLost) as error:
                logger.warning("reading on from the stored offsets: %s", error)
            except psycopg.OperationalError as error:
                logger.warning("the database is away: %s", error)
                self._progress.phase = "waiting for the database"
            except KafkaUnreachable as error:
                logger.warning("Kafka is away: %s", error)
                self._progress.phase = "waiting for Kafka"
            failures = 0 if self._progress.events > before else failures + 1
            await self._pause(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])

    async def _session(self) -> None:
        store = Store(self._url)
        try:
            if await self._lead(store):
                await self._project(store)
        finally:
            store.close()

    async def _lead(self, store: Store) -> bool:
        while not self._stop.is_set():
            if store.lead(idle_limit_ms=_SILENCE_LIMIT_MS):
                return True
            self._progress.phase = "standing by"
            await self._pause(_STANDBY_SECONDS)
        return False

    async def _project(self, store: Store) -> None:
        self._progress.phase = "waiting for topics"
        positions: Positions = {}

        async def start(partitions: Sequence[Partition]) -> Mapping[Partition, int]:
            positions.update(await self._start(store, partitions))
            return positions

        async with BatchConsumer(self._kafka, TOPICS, positions=start, group=None) as consumer:
            projection = Projection(store, positions, partitions=counted(positions), send=self._send)
            self._progress.positions = positions
            self._progress.phase = "projecting"
            await self._follow(store, consumer, projection)

    async def _start(self, store: Store, partitions: Sequence[Partition]) -> Positions:
        positions = store.positions(partitions)
        bounds = await asyncio.get_running_loop().run_in_executor(None, bounds_of, self._kafka, partitions)
        moved = skipped(positions, bounds)
        for one, begin in moved.items():
            if positions[one]:
                logger.error(
                    "%s partition %d: %d records expired unread", one.topic, one.number, begin - positions[one]
                )
        if moved:
            store.move({one: positions[one] for one in moved}, moved)
        return positions | moved

    async def _follow(self, store: Store, consumer: BatchConsumer, projection: Projection) -> None:
        prove_next = time.monotonic() + _PROVE_SECONDS
        while not self._stop.is_set():
            # No linger: whatever is there is stored at once, and what comes meanwhile is the next batch.
            records = await consumer.poll_batch(BATCH, IDLE)
            if records:
                await projection.project(records)
                self._progress.events += len(records)
                self._progress.dead_letters += projection.refused
                projection.refused = 0
                self._progress.committed(records)
            if time.monotonic() >= prove_next:
                prove_next = time.monotonic() + _PROVE_SECONDS
                store.prove()
                self._expire(store)

    def _expire(self, store: Store) -> None:
        if time.monotonic() < self._expire_next:
            return
        self._expire_next = time.monotonic() + _EXPIRY_SECONDS
        try:
            store.drop_expired(datetime.now(UTC) - self._history)
        except psycopg.errors.LockNotAvailable:
            logger.warning("old months are in use; they are dropped another time")

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return


def counted(partitions: Mapping[Partition, int]) -> dict[str, int]:
    """How many partitions each topic has. Pure."""
    counts: dict[str, int] = {}
    for one in partitions:
        counts[one.topic] = counts.get(one.topic, 0) + 1
    return counts
