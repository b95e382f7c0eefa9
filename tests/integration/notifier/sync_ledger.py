"""The ledger in PostgreSQL behind the calls of a model: for seasons that hypothesis makes up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from psycopg.rows import class_row

from services.notifier.delivery import Attempt
from services.notifier.ledger.digesting import members_of
from services.notifier.ledger.dispatching import dispatch, due_channels, next_due
from services.notifier.ledger.entering import enter, redeliver, told_of_open
from services.notifier.ledger.recording import record
from services.notifier.ledger.rows import COLUMNS
from services.notifier.planning import Limits
from services.notifier.recipients import recipients
from services.notifier.records import DIGEST, Row, delivery_of
from tests.fakes.alerts import WORKSPACE, transition
from tests.fakes.model_ledger import Claim
from vigilo.adapters.postgres import Connection, Pool
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind

T = TypeVar("T")


class SyncLedger:
    """One channel of the real ledger, each call in a transaction of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Pool, channel_id: UUID, limits: Limits) -> None:
        self._loop, self._pool, self._channel, self._limits = loop, pool, channel_id, limits

    def enter(self, alert_id: UUID, n: int, kind: str, *, at: datetime, cause: str = "scan") -> None:
        """A transition."""
        made = transition(TransitionKind(kind), n=n, channels=(self._channel,)).model_copy(
            update={"alert_id": alert_id, "transition_id": ids.transition_id(alert_id, n), "cause": cause}
        )

        async def run(connection: Connection) -> None:
            told = await told_of_open(connection, alert_id)
            chosen = [delivery_of(made, channel) for channel in recipients(made, told)]
            await enter(connection, chosen, due=at)

        self._run(run)

    def redeliver(self, delivery_id: UUID, *, at: datetime) -> None:
        """A person wants a finished delivery again."""
        self._run(lambda c: redeliver(c, delivery_id, channel_id=self._channel, workspace_id=WORKSPACE, due=at))

    def dispatch(self, *, at: datetime) -> list[Claim]:
        """Plans and claims."""

        async def run(connection: Connection) -> list[Claim]:
            if self._channel not in await due_channels(connection, now=at):
                return []
            found = []
            for one in await dispatch(connection, self._channel, now=at, slots=10, limits=self._limits):
                digest = one.row.kind == DIGEST
                members = await members_of(connection, one.delivery_id) if digest else [one.row]
                found.append(Claim(one, tuple(members)))
            return found

        return self._run(run)

    def record(self, claim: Claim, attempt: Attempt, *, at: datetime) -> None:
        """Writes down an attempt's end."""
        self._run(lambda c: record(c, claim.ledger, attempt, at=at, limits=self._limits))

    def next_due(self) -> datetime | None:
        """When it is worth to dispatch again."""
        return self._run(next_due)

    def all_rows(self) -> Sequence[Row]:
        """Every delivery."""

        async def run(connection: Connection) -> list[Row]:
            async with connection.cursor(row_factory=class_row(Row)) as cursor:
                await cursor.execute(f"select {COLUMNS} from notifier.deliveries order by position")
                return await cursor.fetchall()

        return self._run(run)

    def _run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async def inside() -> T:
            async with self._pool.connection() as connection, connection.transaction():
                return await work(connection)

        return self._loop.run_until_complete(inside())
