"""The next step of one channel: its waiting deliveries are read, a plan is made and written down in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row
from pydantic import TypeAdapter

from services.notifier.channels.traits import TRAITS
from services.notifier.circuit import CIRCUIT_OPEN
from services.notifier.grouping import Unit
from services.notifier.ledger.announcing import announce
from services.notifier.ledger.channels import lock_channel, store_pace
from services.notifier.ledger.digesting import enter_digest
from services.notifier.ledger.rows import COLUMNS
from services.notifier.planning import Finish, Limits, Plan, claim_time, plan
from services.notifier.records import ChannelState, Claimed, Row
from services.notifier.tellings import Telling, TestTelling, TransitionTelling
from vigilo.adapters.postgres import Connection
from vigilo.events.deliveries import DeliveryStatus

CLAIM: Final = max(map(claim_time, TRAITS.values()))  # no claim of any kind lasts longer
# How many unfinished deliveries a plan looks at. Digests want to see many.
WINDOW: Final = 500
DIGEST_WINDOW: Final = 5000
_TELLING: TypeAdapter[Telling] = TypeAdapter(Telling)


async def due_channels(connection: Connection, *, now: datetime) -> list[UUID]:
    """Channels with something that may be sent now; deliveries whose channel has not arrived yet wait for it."""
    cursor = await connection.execute(
        """
        select c.channel_id from notifier.channels c
        where (c.hold_until is null or c.hold_until <= %(now)s) and exists (
            select from notifier.deliveries d where d.channel_id = c.channel_id and d.status in ('waiting', 'retrying')
                and (d.next_attempt_at <= %(now)s or c.opened_at is not null))
        """,
        {"now": now},
    )
    return [row["channel_id"] for row in await cursor.fetchall()]


async def next_due(connection: Connection) -> datetime | None:
    """When something may be sent next; None when nothing waits."""
    cursor = await connection.execute(
        """
        select min(coalesce(greatest(c.hold_until, case when c.opened_at is null then w.due end), w.due)) as due
        from notifier.channels c cross join lateral (
            select min(d.next_attempt_at) as due from notifier.deliveries d
            where d.channel_id = c.channel_id and d.status in ('waiting', 'retrying')) w
        where w.due is not null
        """
    )
    row = await cursor.fetchone()
    return None if row is None else row["due"]


async def dispatch(
    connection: Connection, channel_id: UUID, *, now: datetime, slots: int, limits: Limits
) -> list[Claimed]:
    """Plans one channel and claims what it may send: commit before a request leaves.

    Each claimed attempt is counted; until its end is recorded it counts as one that the receiver may have. Nothing if
    another notifier is at the channel.
    """
    channel = await lock_channel(connection, channel_id, now=now, wait=False)
    if channel is None:
        return []
    made = plan(channel, await _window(connection, channel), at=now, slots=slots, limits=limits)
    await _finish(connection, made.finished, at=now)
    await _postpone(connection, made.postponed)
    await _hold(connection, made, at=now)
    claimed = [await _claim(connection, channel, unit, made.probing, now=now) for unit in made.sends]
    await store_pace(connection, channel_id, made.bucket, made.hold_until)
    return claimed


async def _window(connection: Connection, channel: ChannelState) -> list[Row]:
    """Unfinished deliveries, the first due first, with all others of their alerts."""
    order = "position" if channel.circuit.open else "next_attempt_at, position"
    async with connection.cursor(row_factory=class_row(Row)) as cursor:
        await cursor.execute(
            f"""
            with near as (
                select delivery_id, alert_id from notifier.deliveries
                where channel_id = %(channel)s and status in ('waiting', 'retrying') order by {order} limit %(limit)s
            )
            select {COLUMNS} from notifier.deliveries where delivery_id in (select delivery_id from near)
            union
            select {COLUMNS} from notifier.deliveries
            where channel_id = %(channel)s and alert_id in (select alert_id from near)
            """,
            {"channel": channel.channel_id, "limit": DIGEST_WINDOW if channel.traits.digests else WINDOW},
        )
        return await cursor.fetchall()


async def _finish(connection: Connection, finished: Sequence[Finish], *, at: datetime) -> None:
    for one in finished:
        await connection.execute(
            """
            update notifier.deliveries set status = %s, next_attempt_at = null, claimed_until = null, error_class = %s,
                asked_again = false, settled_at = %s
            where delivery_id = %s
            """,
            (one.status.value, one.reason, at, one.row.delivery_id),
        )
    await announce(connection, [one.row.event(one.status, at=at, error_class=one.reason) for one in finished])


async def _postpone(connection: Connection, postponed: Iterable[tuple[UUID, datetime]]) -> None:
    for delivery_id, until in postponed:
        await connection.execute(
            "update notifier.deliveries set next_attempt_at = %s where delivery_id = %s", (until, delivery_id)
        )


async def _hold(connection: Connection, made: Plan, *, at: datetime) -> None:
    if not made.held:
        return
    await connection.execute(
        "update notifier.deliveries set error_class = %s where delivery_id = any(%s)",
        (CIRCUIT_OPEN, [row.delivery_id for row in made.held]),
    )
    told = [
        row.event(DeliveryStatus.RETRYING, at=at, error_class=CIRCUIT_OPEN, next_attempt_at=made.hold_until)
        for row in made.held
    ]
    await announce(connection, told, word=f"{CIRCUIT_OPEN}/{at.isoformat()}")


async def _claim(connection: Connection, channel: ChannelState, unit: Unit, probing: bool, *, now: datetime) -> Claimed:
    row = unit.members[0]
    if unit.digest_id is not None:
        row = await enter_digest(connection, unit, unit.digest_id, at=now)
    until = now + claim_time(channel.traits)
    cursor = await connection.execute(
        """
        with taken as (
            update notifier.deliveries set attempt = attempt + 1, next_attempt_at = %(until)s,
                claimed_until = %(until)s, maybe_received = true
            where delivery_id = %(one)s returning *
        ), carried as (
            update notifier.deliveries set next_attempt_at = %(until)s, claimed_until = %(until)s,
                maybe_received = true
            where digest_id = %(one)s and status in ('waiting', 'retrying') and channel_id = %(channel)s
        )
        select t.attempt, t.telling, s.key_id, s.ciphertext, case when b.actor is not null then (
            select n.name from notifier.actor_names n where n.workspace_id = t.workspace_id and n.actor = b.actor
        ) end as by_name
        from taken t
        cross join lateral (select coalesce(t.telling -> 'transition' ->> 'by', t.telling ->> 'by') as actor) b
        left join notifier.channel_secrets s on s.channel_id = t.channel_id and s.workspace_id = t.workspace_id
        """,
        {"one": row.delivery_id, "until": until, "channel": channel.channel_id},
    )
    found: dict[str, Any] | None = await cursor.fetchone()
    if found is None:
        raise LookupError(f"the delivery {row.delivery_id} is gone from the ledger")
    return Claimed(
        row=row,
        kind=channel.kind,
        telling=_named(_TELLING.validate_python(found["telling"]), found["by_name"]),
        attempt=found["attempt"],
        due_at=unit.next_attempt_at or now,
        until=until,
        probe=probing,
        key_id=found["key_id"],
        sealed=found["ciphertext"],
    )


def _named(telling: Telling, name: str | None) -> Telling:
    if isinstance(telling, TransitionTelling | TestTelling):
        return telling.model_copy(update={"by_name": name})
    return telling
