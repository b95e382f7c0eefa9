"""Makes the read model again from the topics, beside the old one, and puts it in its place; the API keeps answering.

The new schema is made by the migrations' own SQL and filled by the projector's own code, so it is what a clean replay
gives. Exceptions: RebuildRefused (nothing was changed), AlreadyRebuilding < RebuildRefused.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import Connection, errors

from services.api.database_roles import OWNER
from services.api.live.notices import CHANNEL, everything
from services.api.migrate import MIGRATIONS
from services.api.projector.admission import TOPICS
from services.api.projector.bounds import Bounds, bounds_of, ends_of, partitions_of
from services.api.projector.run import Projection, counted
from services.api.projector.store import READ_MODEL, Positions, Store
from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.settings import KafkaSettings

logger = logging.getLogger("vigilo.api.rebuild")

NEXT: Final = "read_model_next"
OLD: Final = "read_model_old"
BATCH: Final = 2_000
# How near the new schema must be before the projector is made to wait for the rest.
NEAR: Final = 2_000
_POLL: Final = timedelta(milliseconds=200)
_SNAPSHOT_WAIT_SECONDS: Final = 20.0
_DROP_ATTEMPTS: Final = 60

Say = Callable[[str], None]

# Tables that say where their rows come from, and the column that gives their age (None: kept for ever).
_SOURCES: Final = {
    "snapshots": ("snapshots", "requested_at"),
    "report_cards": ("report-cards", "requested_at"),
    "certificate_changes": ("certificate-changes", "requested_at"),
    "alert_transitions": ("alerts", None),
    "deliveries": ("deliveries", "at"),
}


class RebuildRefused(Exception):
    """The topics no longer hold all that the read model shows; the message says what would be lost."""


class AlreadyRebuilding(RebuildRefused):
    """Another rebuild of this database is under way."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done. `events` were read; readers were never kept waiting, the projector for `paused_seconds`."""

    events: int
    seconds: float
    paused_seconds: float


async def rebuild(
    kafka: KafkaSettings, owner_url: str, *, history: timedelta, accept_loss: bool = False, say: Say = logger.info
) -> Rebuilt:
    """The read model is what the topics say. `owner_url` may act as the owner of the tables.

    Raises RebuildRefused, psycopg.Error, KafkaUnreachable; the old read model is then still in its place.
    """
    began = time.monotonic()
    partitions = await _blocking(lambda: partitions_of(kafka, TOPICS))
    with psycopg.connect(owner_url, autocommit=True, application_name="vigilo-rebuild") as owner:
        _become_owner(owner)
        # Before the ends are asked for: a projector at work moves on, and must not seem to have read too far.
        positions = positions_of(owner)
        bounds = await _blocking(lambda: bounds_of(kafka, partitions))
        losses = lost(owner, bounds, positions, cutoff=datetime.now(UTC) - history)
        if losses and not accept_loss:
            raise RebuildRefused("\n".join([*losses, "Say --accept-loss to rebuild all the same."]))
        create_next(owner)
        filling = Filling(kafka, Store(owner_url, schema=NEXT, role=OWNER), bounds)
        try:
            paused = await filling.fill_and_swap(owner, say)
        finally:
            await filling.close()
        _drop_old(owner)
    return Rebuilt(filling.events, time.monotonic() - began, paused)


def lost(
    owner: Connection[Any], bounds: Mapping[Partition, Bounds], positions: Positions, *, cutoff: datetime
) -> list[str]:
    """What the topics cannot give back, in words: rows from before a topic's begin that are not due to expire.

    `positions` were read before `bounds`. Rows older than `cutoff` are due: Kafka has dropped them, the read model will
    within a month.
    """
    found = []
    for table, (topic, age) in _SOURCES.items():
        begins = {one.number: bound.begin for one, bound in bounds.items() if one.topic == topic}
        young = f"and {age} >= %(cutoff)s" if age else ""
        row = owner.execute(
            f"select count(*) from {READ_MODEL}.{table} join unnest(%(numbers)s::integer[], %(begins)s::bigint[]) "
            f"as given(partition, begin) on source_partition = partition where source_offset < begin {young}",
            {"numbers": list(begins), "begins": list(begins.values()), "cutoff": cutoff},
        ).fetchone()
        if row and row[0]:
            found.append(f"{topic}: {row[0]} rows of {table} come from records the topic no longer has")
    for one, position in positions.items():
        end = bounds.get(one, Bounds(0, 0)).end
        if position > end:
            where = f"{one.topic} partition {one.number}"
            found.append(f"{where} ends at {end}, the read model has read to {position}: recreated?")
    return found


def create_next(owner: Connection[Any]) -> None:
    """An empty second schema, as the migrations would make it."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted(MIGRATIONS.glob(f"*_{READ_MODEL}*.sql"))]
    with owner.transaction():
        owner.execute(f"drop schema if exists {NEXT} cascade")
        for script in scripts:
            owner.execute(renamed(script).encode("utf-8"))


def renamed(script: str) -> str:
    """The script for the second schema. Pure."""
    return re.sub(rf"\b{READ_MODEL}\b", NEXT, script)


class Filling:
    """Reads every topic from its begin into the second schema, then swaps it in."""

    def __init__(self, kafka: KafkaSettings, store: Store, bounds: Mapping[Partition, Bounds]) -> None:
        self._kafka = kafka
        self._store = store
        self._begins = {partition: bound.begin for partition, bound in bounds.items()}
        self._positions: Positions = {}
        self._consumer = BatchConsumer(kafka, TOPICS, positions=self._start, group=None)
        self._projection: Projection | None = None
        self.events = 0

    async def _start(self, partitions: Sequence[Partition]) -> Positions:
        return {one: self._positions[one] for one in partitions if one in self._positions}

    async def close(self) -> None:
        """Ends the session and the consumer."""
        await self._consumer.close()
        self._store.close()

    async def fill_and_swap(self, owner: Connection[Any], say: Say) -> float:
        """The new schema is in place. Returns for how many seconds the projector had to wait."""
        zero = self._store.positions(self._begins)
        self._store.move(zero, self._begins)
        self._positions = dict(self._begins)
        await self._consumer.start()
        self._projection = Projection(self._store, self._positions, partitions=counted(self._positions), send=None)
        while True:
            ends = await _blocking(lambda: ends_of(self._kafka, self._positions))
            behind = sum(ends[one] - position for one, position in self._positions.items())
            if behind <= NEAR and self.events:
                break
            say(f"{behind} events to read, {self.events} read")
            await self._read_to(ends)
            if not behind:
                break
        analyze(owner)
        return await self._swap(owner)

    async def _read_to(self, ends: Mapping[Partition, int]) -> None:
        assert self._projection is not None
        while any(self._positions[one] < end for one, end in ends.items()):
            records = await self._consumer.poll_batch(BATCH, _POLL)
            if records:
                await self._projection.project(records)
                self.events += len(records)

    async def _swap(self, owner: Connection[Any]) -> float:
        with owner.transaction():
            owner.execute("set local lock_timeout = '60s'")
            # A projector's transaction begins by moving offsets: from here on it waits, with nothing written.
            owner.execute(f"lock table {READ_MODEL}.projector_offsets in exclusive mode")
            began = time.monotonic()
            await self._read_to(positions_of(owner))
            await _older_readers_ended(owner)
            owner.execute("set local synchronous_commit = on")
            owner.execute(f"alter schema {READ_MODEL} rename to {OLD}")
            owner.execute(f"alter schema {NEXT} rename to {READ_MODEL}")
            owner.execute("select pg_notify(%s, %s)", (CHANNEL, everything(None)))
        return time.monotonic() - began


def positions_of(owner: Connection[Any]) -> Positions:
    """How far the present read model has read."""
    rows = owner.execute(f"select topic, partition, next from {READ_MODEL}.projector_offsets").fetchall()
    return {Partition(topic, number): following for topic, number, following in rows}


def analyze(owner: Connection[Any]) -> None:
    """The planner knows the new tables before anybody asks them."""
    tables = owner.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'p') "
        "and not relispartition",
        (NEXT,),
    ).fetchall()
    for (table,) in tables:
        owner.execute(f"analyze {NEXT}.{table}")


async def _older_readers_ended(owner: Connection[Any]) -> None:
    """Every transaction that began before now has ended, or 20 seconds have passed.

    A repeatable-read transaction finds tables by their names of today but sees rows by its snapshot of before: after
    the swap it would look into the new tables and miss what was filled in last.
    """
    others = (
        "select l.virtualxid from pg_locks l join pg_stat_activity a on a.pid = l.pid "
        "where l.locktype = 'virtualxid' and l.pid <> pg_backend_pid() and a.datname = current_database() "
        "and not exists (select from pg_locks w where w.pid = l.pid and not w.granted)"
    )
    older = {row[0] for row in owner.execute(others)}
    deadline = time.monotonic() + _SNAPSHOT_WAIT_SECONDS
    while older & {row[0] for row in owner.execute(others)}:
        if time.monotonic() > deadline:
            logger.warning("a long transaction is still reading; it may miss the newest rows once")
            return
        await asyncio.sleep(0.02)


def _become_owner(owner: Connection[Any]) -> None:
    row = owner.execute("select pg_try_advisory_lock(%s)", (AdvisoryLock.REBUILD,)).fetchone()
    if not row or not row[0]:
        raise AlreadyRebuilding("another rebuild of this database is under way")
    owner.execute(f"set role {OWNER}")
    owner.execute("set timezone = 'UTC'")
    owner.execute(f"drop schema if exists {OLD} cascade")


def _drop_old(owner: Connection[Any]) -> None:
    owner.execute("set lock_timeout = '1s'")
    for _ in range(_DROP_ATTEMPTS):
        try:
            owner.execute(f"drop schema {OLD} cascade")
            return
        except errors.LockNotAvailable:
            continue  # somebody still reads the old tables
    logger.warning("the old schema %s is still being read; the next rebuild drops it", OLD)


async def _blocking(work: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work)
