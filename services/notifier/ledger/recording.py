"""What came of an attempt: the delivery, those it carried, and its channel, with the events that tell it, in one go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.notifier.delivery import Attempt
from services.notifier.ledger.announcing import announce
from services.notifier.ledger.channels import lock_channel
from services.notifier.ledger.digesting import dissolve, members_of
from services.notifier.ledger.noting import note_health
from services.notifier.planning import Limits
from services.notifier.records import DIGEST, Claimed, Row
from services.notifier.settling import Settled, settle
from vigilo.adapters.postgres import Connection
from vigilo.events.deliveries import DeliveryStatus

DISSOLVED = "joined-anew"


async def record(connection: Connection, claimed: Claimed, attempt: Attempt, *, at: datetime, limits: Limits) -> bool:
    """Writes down the end of a claimed attempt. False if the claim had run out and another attempt was counted since:
    then only the channel's health is noted.
    """
    channel = await lock_channel(connection, claimed.row.channel_id, now=at)
    if channel is None:
        raise LookupError(f"the channel {claimed.row.channel_id} is gone from the ledger")
    settled = settle(channel, claimed, attempt, at=at, limits=limits)
    members = await members_of(connection, claimed.delivery_id) if claimed.row.kind == DIGEST else []
    if not members:  # a digest that somebody wanted again is a message like any other
        settled = replace(settled, dissolves=False)
    ours = await _settle(connection, claimed, attempt, settled, at=at)
    if ours:
        await _announce(connection, claimed, members, attempt, settled, at=at)
        await _members(connection, claimed, members, attempt, settled, at=at)
        await _wake_followers(connection, claimed, members, settled, at=at)
    await note_health(connection, channel, settled.health, at=at)
    return ours


async def _settle(
    connection: Connection, claimed: Claimed, attempt: Attempt, settled: Settled, *, at: datetime
) -> bool:
    verdict = settled.verdict
    final = verdict.next_attempt_at is None or settled.dissolves
    cursor = await connection.execute(
        """
        update notifier.deliveries set status = %s, next_attempt_at = %s, http_status = %s, error_class = %s,
            maybe_received = %s, step = %s, claimed_until = null, settled_at = %s, asked_again = asked_again and not %s
        where delivery_id = %s and attempt = %s and status in ('waiting', 'retrying')
        """,
        (
            DeliveryStatus.SUPERSEDED.value if settled.dissolves else verdict.status.value,
            None if final else verdict.next_attempt_at,
            attempt.http_status,
            attempt.error_class,
            verdict.maybe_received,
            settled.step,
            at if final else None,
            final,
            claimed.delivery_id,
            claimed.attempt,
        ),
    )
    return cursor.rowcount == 1


async def _announce(
    connection: Connection, claimed: Claimed, members: list[Row], attempt: Attempt, settled: Settled, *, at: datetime
) -> None:
    verdict = settled.verdict
    status: DeliveryStatus = verdict.status
    error: str | None = None
    if settled.dissolves:
        status, error = DeliveryStatus.SUPERSEDED, DISSOLVED
    # Hundreds of members and a hundred attempts would be a flood: members tell their first failure and their end.
    telling = members if settled.dissolves or verdict.next_attempt_at is None or claimed.attempt == 1 else []
    events = [
        row.event(
            verdict.status,
            at=at,
            attempt=max(row.attempt, claimed.attempt),
            outcome=attempt,
            next_attempt_at=verdict.next_attempt_at,
            digest_id=claimed.delivery_id,
        )
        for row in telling
    ]
    own = claimed.row.event(
        status,
        at=at,
        attempt=claimed.attempt,
        outcome=attempt,
        error_class=error,
        next_attempt_at=None if settled.dissolves else verdict.next_attempt_at,
    )
    await announce(connection, [own])
    await announce(connection, events, word=f"{verdict.status.value}/{claimed.delivery_id}")


async def _members(
    connection: Connection, claimed: Claimed, members: list[Row], attempt: Attempt, settled: Settled, *, at: datetime
) -> None:
    if not members:
        return
    verdict = settled.verdict
    if settled.dissolves:
        await dissolve(connection, claimed.delivery_id, verdict, step=settled.step)
        return
    await connection.execute(
        """
        update notifier.deliveries set status = %s, next_attempt_at = %s, http_status = %s, error_class = %s,
            maybe_received = %s, claimed_until = null, settled_at = %s, attempt = greatest(attempt, %s),
            asked_again = asked_again and %s
        where digest_id = %s and status in ('waiting', 'retrying')
        """,
        (
            verdict.status.value,
            verdict.next_attempt_at,
            attempt.http_status,
            attempt.error_class,
            verdict.maybe_received,
            at if verdict.next_attempt_at is None else None,
            claimed.attempt,
            verdict.next_attempt_at is not None,
            claimed.delivery_id,
        ),
    )


async def _wake_followers(
    connection: Connection, claimed: Claimed, members: list[Row], settled: Settled, *, at: datetime
) -> None:
    """What waited for these deliveries to end is due."""
    alerts = [row.alert_id for row in (claimed.row, *members) if row.alert_id is not None]
    if settled.verdict.next_attempt_at is not None or not alerts:
        return
    await connection.execute(
        """
        update notifier.deliveries set next_attempt_at = %s
        where channel_id = %s and alert_id = any(%s) and status = 'waiting' and digest_id is null
            and next_attempt_at > %s
        """,
        (at, claimed.row.channel_id, alerts, at),
    )
