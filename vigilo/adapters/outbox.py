"""The transactional outbox: events written in the transaction of their cause, published afterwards, in order.

One relay at a time holds an advisory lock, proves it before each batch, publishes by `position` and deletes the rows
once every replica has acknowledged. Deleted rows, not a watermark, say what is left: a transaction that commits late
with an early position is still found. Whoever writes must have locked the aggregate's row first, then the order of
positions is the order of its versions.

A crash between acknowledgement and deletion publishes the same bytes again, under the same ids.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import DictRow

from vigilo.adapters.kafka.producer import Producer, Undelivered
from vigilo.adapters.postgres import Connection, connect
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent

logger = logging.getLogger("vigilo.outbox")

# A batch that Kafka has not taken by then is given up and read again, so a relay that lost its lock stops writing.
DELIVERY_TIMEOUT: Final = timedelta(seconds=10)
BATCH: Final = 500
# NOTIFY is what wakes the relay; this is for the notice that got lost.
_SLOW_POLL_SECONDS: Final = 5.0
_STANDBY_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class OutboxTable:
    """Which outbox. `lock` numbers the advisory lock, `channel` is what NOTIFY names, the relay acts as `role`."""

    schema: str
    name: str
    lock: int
    channel: str
    role: str | None = None

    @property
    def identifier(self) -> sql.Identifier:
        """schema.name, quoted."""
        return sql.Identifier(self.schema, self.name)


def payload_of(event: EncodedEvent) -> str | None:
    """The value as the outbox keeps it; None is a tombstone."""
    return None if event.value is None else event.value.decode("utf-8")


def headers_of(event: EncodedEvent) -> str:
    """The headers as the outbox keeps them: a JSON list of [name, value], in order."""
    return json.dumps([[name, value.decode("utf-8")] for name, value in event.headers])


def encoded(row: DictRow) -> EncodedEvent:
    """The record an outbox row stands for."""
    payload = row["payload"]
    return EncodedEvent(
        topic=row["aggregatetype"],
        key=row["aggregateid"].encode("utf-8"),
        value=None if payload is None else payload.encode("utf-8"),
        headers=tuple((name, value.encode("utf-8")) for name, value in row["headers"]),
    )


def columns(outgoing: OutgoingEvent, *, source: str) -> tuple[object, ...]:
    """id, aggregatetype, aggregateid, type, payload, headers of one event."""
    event = encode(outgoing, source=source)
    ce_type = next(value.decode() for name, value in event.headers if name == "ce_type")
    return (outgoing.id, outgoing.topic, outgoing.key, ce_type, payload_of(event), headers_of(event))


@dataclass
class RelayState:
    """What readiness and metrics want to know."""

    leading: bool = False
    published: int = 0
    last_turn: float = field(default_factory=monotonic)
    trouble: str | None = None


Chore = Callable[[Connection], Awaitable[None]]
# Told the keys of a batch that may have been written after the lock was lost: (logical topic, key).
LostBatch = Callable[[Sequence[tuple[str, str]]], Awaitable[None]]


class LockLost(Exception):
    """This session does not hold the relay's lock any more."""


class OutboxRelay:
    """Publishes one outbox until cancelled. `producer` makes a producer with DELIVERY_TIMEOUT in the running loop."""

    def __init__(
        self,
        table: OutboxTable,
        *,
        url: str,
        producer: Callable[[], Producer],
        chore: Chore | None = None,
        lost_batch: LostBatch | None = None,
    ) -> None:
        self.state = RelayState()
        self._table = table
        self._url = url
        self._make_producer = producer
        self._chore = chore
        self._lost_batch = lost_batch

    async def run(self) -> None:
        """Lead, or wait to lead, for ever; trouble with Kafka or the database is logged and tried again."""
        pause = 0.1
        while True:
            try:
                await self._session()
                pause = 0.1
            except (psycopg.Error, Undelivered, LockLost, OSError) as error:
                self.state.leading = False
                self.state.trouble = f"{type(error).__name__}: {error}"[:300]
                logger.warning("the outbox %s waits: %s", self._table.name, self.state.trouble)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _session(self) -> None:
        async with AsyncExitStack() as stack:
            connection = await connect(self._url, name="vigilo-relay", role=self._table.role)
            stack.push_async_callback(connection.close)
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._table.channel)))
            await self._await_lock(connection)
            producer = await stack.enter_async_context(self._make_producer())
            logger.info("relaying %s.%s", self._table.schema, self._table.name)
            self.state.leading, self.state.trouble = True, None
            try:
                await self._lead(connection, producer)
            finally:
                self.state.leading = False

    async def _await_lock(self, connection: Connection) -> None:
        # Asked again and again rather than waited for: a waiting statement would hold back VACUUM.
        while not await _true(connection, "select pg_try_advisory_lock(%s) as yes", self._table.lock):
            self.state.last_turn = monotonic()
            await asyncio.sleep(_STANDBY_SECONDS)

    async def _lead(self, connection: Connection, producer: Producer) -> None:
        while True:
            self.state.last_turn = monotonic()
            published = await self.turn(connection, producer)
            if published < BATCH:
                if self._chore is not None:
                    await self._chore(connection)
                async for _ in connection.notifies(timeout=_SLOW_POLL_SECONDS, stop_after=1):
                    pass

    async def turn(self, connection: Connection, producer: Producer) -> int:
        """Publish one batch; returns how many rows. Raises LockLost, Undelivered, psycopg.Error."""
        rows = await self._read(connection)
        if not rows:
            return 0
        if not await self._holds_lock(connection):
            raise LockLost("another relay may be at work")
        await producer.send_all(encoded(row) for row in rows)
        await self._delete(connection, rows)
        self.state.published += len(rows)
        return len(rows)

    async def _read(self, connection: Connection) -> list[DictRow]:
        statement = sql.SQL(
            "select position, id, aggregatetype, aggregateid, payload, headers from {} order by position limit {}"
        ).format(self._table.identifier, sql.Literal(BATCH))
        return await (await connection.execute(statement)).fetchall()

    async def _delete(self, connection: Connection, rows: Iterable[DictRow]) -> None:
        batch = list(rows)
        statement = sql.SQL("delete from {} where position = any(%s)").format(self._table.identifier)
        try:
            if not await self._holds_lock(connection):
                raise LockLost("lost while publishing")
            await connection.execute(statement, ([row["position"] for row in batch],))
        except (psycopg.OperationalError, LockLost):
            # Another relay may have published newer versions before these arrived: let them be written once more.
            if self._lost_batch is not None:
                await self._lost_batch([(row["aggregatetype"], row["aggregateid"]) for row in batch])
            raise

    async def _holds_lock(self, connection: Connection) -> bool:
        return await _true(
            connection,
            "select exists (select from pg_locks where locktype = 'advisory' and granted and objsubid = 1 "
            "and pid = pg_backend_pid() "
            "and database = (select oid from pg_database where datname = current_database()) "
            "and (classid::bigint << 32) | objid::bigint = %s) as yes",
            self._table.lock,
        )


async def _true(connection: Connection, question: str, lock: int) -> bool:
    row = await (await connection.execute(question, (lock,))).fetchone()
    return bool(row and row["yes"])
