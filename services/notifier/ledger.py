"""The ledger in PostgreSQL: what must be sent, what was tried, what came of it.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from services.notifier.delivery import Attempt, Verdict
from services.notifier.records import Claimed, NewDelivery
from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.outbox import OutboxTable, columns
from vigilo.adapters.postgres import Connection
from vigilo.events import ids
from vigilo.events.deliveries import Delivery
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.rules import Channel, RecordStatus

SOURCE: Final = "vigilo/notifier"
OUTBOX: Final = OutboxTable("notifier", "outbox", lock=AdvisoryLock.NOTIFIER_RELAY, channel="vigilo_notifier_outbox")
OPEN_STATES: Final = ["waiting", "retrying"]
# A claim outlives the longest attempt (PagerDuty's test: two requests of 20 s; a mail: 40 s); a dead notifier's
# deliveries are taken up again after it.
CLAIM: Final = timedelta(seconds=45)


class OffsetsMoved(Exception):
    """Another notifier has consumed this partition since: roll back and read the position again."""


async def read_offsets(connection: Connection) -> dict[tuple[str, int], int]:
    """Next offset to consume, by (topic, partition)."""
    cursor = await connection.execute("select topic, partition, next_offset from notifier.consumed_offsets")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in await cursor.fetchall()}


async def advance(connection: Connection, topic: str, partition: int, *, came_from: int | None, to: int) -> None:
    """Moves a partition's position by compare-and-set. Raises OffsetsMoved when it is not at `came_from`."""
    if came_from is None:
        sql = (
            "insert into notifier.consumed_offsets (topic, partition, next_offset) values (%s, %s, %s) "
            "on conflict do nothing"
        )
        cursor = await connection.execute(sql, (topic, partition, to))
    else:
        sql = (
            "update notifier.consumed_offsets set next_offset = %s "
            "where topic = %s and partition = %s and next_offset = %s"
        )
        cursor = await connection.execute(sql, (to, topic, partition, came_from))
    if cursor.rowcount != 1:
        raise OffsetsMoved(f"{topic}/{partition} is no longer at {came_from}")


async def store_channel(connection: Connection, channel: Channel) -> None:
    """Keeps the newest version of a channel; an older one changes nothing."""
    await connection.execute(
        """
        insert into notifier.channels (channel_id, workspace_id, version, deleted, kind, name, enabled)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (channel_id) do update set version = excluded.version, deleted = excluded.deleted,
            kind = excluded.kind, name = excluded.name, enabled = excluded.enabled, gone = false
        where notifier.channels.version < excluded.version
        """,
        (
            channel.channel_id,
            channel.workspace_id,
            channel.version,
            channel.status is RecordStatus.DELETED,
            channel.kind.value,
            channel.name,
            channel.enabled,
        ),
    )


async def told_of_open(connection: Connection, alert_id: UUID) -> list[UUID]:
    """The channels for which the ledger holds this alert's open, in a stable order."""
    sql = "select channel_id from notifier.deliveries where alert_id = %s and kind = 'opened' order by channel_id"
    cursor = await connection.execute(sql, (alert_id,))
    return [row["channel_id"] for row in await cursor.fetchall()]


async def enter(connection: Connection, deliveries: Iterable[NewDelivery], *, due: datetime) -> None:
    """Enters deliveries that are due at once; one that is there already stays as it is."""
    for delivery in deliveries:
        await connection.execute(
            """
            insert into notifier.deliveries (delivery_id, workspace_id, channel_id, alert_id, transition_id, host_id,
                                             n, kind, status, next_attempt_at, message)
            values (%s, %s, %s, %s, %s, %s, %s, %s, 'waiting', %s, %s)
            on conflict (delivery_id) do nothing
            """,
            (
                delivery.delivery_id,
                delivery.workspace_id,
                delivery.channel_id,
                delivery.alert_id,
                delivery.transition_id,
                delivery.host_id,
                delivery.n,
                delivery.kind,
                due,
                json.dumps(delivery.message),
            ),
        )


async def redeliver(connection: Connection, delivery_id: UUID, workspace_id: UUID, *, due: datetime) -> bool:
    """Makes a finished delivery due again, with the same id. False when there is none such in the workspace."""
    cursor = await connection.execute(
        """
        update notifier.deliveries set status = 'waiting', attempt = 0, next_attempt_at = %s
        where delivery_id = %s and workspace_id = %s and status in ('delivered', 'failed', 'superseded')
        """,
        (due, delivery_id, workspace_id),
    )
    return cursor.rowcount == 1


async def claim(connection: Connection, *, now: datetime, limit: int) -> list[Claimed]:
    """Takes due deliveries for one attempt each and counts the attempt: commit before a request leaves.

    Until the attempt's end is recorded it counts as one that the receiver may have; the claim tells what was so before.
    Of one (alert, channel) only the earliest unfinished delivery is taken, so the order of transitions is kept.
    A channel whose record has not arrived yet is waited for.
    """
    async with connection.cursor(row_factory=class_row(Claimed)) as cursor:
        await cursor.execute(
            """
            with due as (
                select d.delivery_id, d.maybe_received from notifier.deliveries d
                where d.status = any(%(open)s) and d.next_attempt_at <= %(now)s
                    and exists (select 1 from notifier.channels c where c.channel_id = d.channel_id)
                    and not exists (
                        select 1 from notifier.deliveries e
                        where e.alert_id = d.alert_id and e.channel_id = d.channel_id and e.n < d.n
                            and e.status = any(%(open)s))
                order by d.next_attempt_at limit %(limit)s for update skip locked
            ), taken as (
                update notifier.deliveries d
                set attempt = d.attempt + 1, next_attempt_at = %(until)s, maybe_received = true
                from due where d.delivery_id = due.delivery_id
                returning d.*, due.maybe_received as received_before
            )
            select t.delivery_id, t.workspace_id, t.channel_id, t.alert_id, t.transition_id, t.host_id, t.attempt,
                   t.received_before as maybe_received, t.message,
                   c.enabled and not c.deleted and not c.gone as channel_open,
                   s.key_id, s.ciphertext as sealed
            from taken t
            join notifier.channels c on c.channel_id = t.channel_id
            left join notifier.channel_secrets s
                on s.channel_id = t.channel_id and s.workspace_id = t.workspace_id
            """,
            {"open": OPEN_STATES, "now": now, "until": now + CLAIM, "limit": limit},
        )
        return await cursor.fetchall()


async def next_due(connection: Connection) -> datetime | None:
    """When the next attempt is due; None when nothing waits."""
    sql = "select min(next_attempt_at) as due from notifier.deliveries where status = any(%s)"
    cursor = await connection.execute(sql, (OPEN_STATES,))
    row = await cursor.fetchone()
    return None if row is None else row["due"]


async def record(connection: Connection, claimed: Claimed, attempt: Attempt, verdict: Verdict, *, at: datetime) -> None:
    """Writes what became of a claimed attempt, with the event that tells it, in one go."""
    cursor = await connection.execute(
        """
        update notifier.deliveries set status = %s, next_attempt_at = %s, http_status = %s, error_class = %s,
            maybe_received = %s
        where delivery_id = %s and attempt = %s and status = any(%s)
        """,
        (
            verdict.status.value,
            verdict.next_attempt_at,
            attempt.http_status,
            attempt.error_class,
            verdict.maybe_received,
            claimed.delivery_id,
            claimed.attempt,
            OPEN_STATES,
        ),
    )
    if cursor.rowcount != 1:
        return  # the claim had run out and another attempt has been counted since
    if verdict.channel_gone:
        await connection.execute(
            "update notifier.channels set gone = true where channel_id = %s", (claimed.channel_id,)
        )
    event = claimed.event(
        verdict.status,
        at=at,
        http_status=attempt.http_status,
        error_class=attempt.error_class,
        duration_ms=attempt.duration_ms,
        next_attempt_at=verdict.next_attempt_at,
    )
    await announce(connection, event)


async def announce(connection: Connection, event: Delivery) -> None:
    """Puts a delivery event into the outbox."""
    event_id = ids.delivery_event_id(event.delivery_id, event.attempt, event.status.value)
    outgoing = OutgoingEvent(topic="deliveries", key=str(event.delivery_id), id=event_id, event=event, time=event.at)
    await connection.execute(
        """
        insert into notifier.outbox (workspace_id, id, aggregatetype, aggregateid, type, payload, headers)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        (event.workspace_id, *columns(outgoing, source=SOURCE)),
    )
