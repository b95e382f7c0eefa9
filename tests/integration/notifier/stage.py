"""The real ledger with a clock of the test's own and receivers that answer as they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifier.delivery import Answer, Attempt
from services.notifier.intake import Intake
from services.notifier.ledger.dispatching import dispatch, due_channels, next_due
from services.notifier.ledger.others import tell_if_overdue
from services.notifier.ledger.recording import record
from services.notifier.planning import Limits
from services.notifier.records import Claimed
from services.notifier.tellings import DigestTelling, NoticeTelling, TestTelling
from tests.fakes.alerts import transition
from tests.integration.notifier.ledger_lab import Lab
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.envelope import Event

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OK = Attempt(Answer.ACCEPTED, 200)
DOWN = Attempt(Answer.REFUSED, error_class="connect")


@dataclass
class Stage:
    """`answers` decides what a receiver says; `sent` is every request as (channel, what it told)."""

    lab: Lab
    now: datetime = START
    limits: Limits = field(default_factory=Limits)
    answers: Callable[[Claimed], Attempt] = lambda _: OK
    sent: list[tuple[UUID, str]] = field(default_factory=list)
    claims: list[Claimed] = field(default_factory=list)

    async def enter(self, *events: tuple[str, Event]) -> None:
        """(topic, event) as the intake gets them, now."""
        records = [self.lab.record(topic, event) for topic, event in events]
        async with self.lab.pool.connection() as connection, connection.transaction():
            await Intake().apply(connection, records, now=self.now)

    async def work(self) -> int:
        """Claims, answers and records until nothing is due; returns how many requests there were."""
        before = len(self.sent)
        while True:
            claimed = await self.claim()
            for one in claimed:
                await self.settle(one)
            if not claimed:
                return len(self.sent) - before

    async def claim(self) -> list[Claimed]:
        """One step of every channel that is due."""
        found: list[Claimed] = []
        async with self.lab.pool.connection() as connection:
            for channel_id in await due_channels(connection, now=self.now):
                async with connection.transaction():
                    found += await dispatch(connection, channel_id, now=self.now, slots=100, limits=self.limits)
        return found

    async def settle(self, claimed: Claimed) -> None:
        """The request and the note of its end."""
        self.sent.append((claimed.row.channel_id, told(claimed)))
        self.claims.append(claimed)
        async with self.lab.pool.connection() as connection, connection.transaction():
            await record(connection, claimed, self.answers(claimed), at=self.now, limits=self.limits)

    async def rest(self, until: timedelta) -> None:
        """Time passes and what is due is sent when it is."""
        end = self.now + until
        while True:
            await self.work()
            async with self.lab.pool.connection() as connection:
                due = await next_due(connection)
            if due is None or due > end:
                self.now = end
                return
            self.now = max(due, self.now + timedelta(milliseconds=10))

    async def tell_overdue(self, channel_id: UUID) -> bool:
        """What the watcher does."""
        async with self.lab.pool.connection() as connection, connection.transaction():
            return await tell_if_overdue(connection, channel_id, at=self.now, limits=self.limits)

    async def rows(self, columns: str, where: str = "true") -> list[tuple[Any, ...]]:
        """Columns of deliveries, in the order of entry."""
        async with self.lab.pool.connection() as connection:
            cursor = await connection.execute(
                f"select {columns} from notifier.deliveries where {where} order by position"
            )
            return [tuple(row.values()) for row in await cursor.fetchall()]

    async def events(self) -> list[dict[str, Any]]:
        """What the outbox holds, in order."""
        async with self.lab.pool.connection() as connection:
            cursor = await connection.execute("select payload::json as event from notifier.outbox order by position")
            return [row["event"] for row in await cursor.fetchall()]


def told(claimed: Claimed) -> str:
    """What a request told, in a word."""
    telling = claimed.telling
    match telling:
        case DigestTelling():
            return f"{telling.count} {telling.what.value}"
        case NoticeTelling() | TestTelling():
            return telling.title if isinstance(telling, NoticeTelling) else "test"
        case _:
            return telling.transition.kind.value


def alerts(
    kind: TransitionKind, count: int, *channels: UUID, n: int = 1, cause: str = "scan"
) -> Sequence[tuple[str, AlertTransition]]:
    """The n-th transition of that many alerts of one rule, each on a host of its own."""
    made = []
    for number in range(count):
        one = transition(kind, n=n, channels=channels, host_id=UUID(int=1000 + number), at=START)
        made.append(("alerts", one.model_copy(update={"cause": cause})))
    return made


def delivery_of(one: AlertTransition, channel: UUID) -> UUID:
    """Its delivery on the channel."""
    return ids.delivery_id(one.transition_id, channel)
