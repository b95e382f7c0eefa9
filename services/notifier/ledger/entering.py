"""Into the ledger: new deliveries, and finished ones that somebody wants again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.records import NewDelivery
from vigilo.adapters.postgres import Connection
from vigilo.events.deliveries import DeliveryStatus

_FINAL: Final = [DeliveryStatus.DELIVERED.value, DeliveryStatus.FAILED.value, DeliveryStatus.SUPERSEDED.value]
_AGAIN: Final = """
    update notifier.deliveries set status = 'waiting', step = 0, next_attempt_at = %(due)s, entered_at = %(due)s,
        asked_again = true, digest_id = null, claimed_until = null, error_class = null
    where channel_id = %(channel)s and workspace_id = %(workspace)s and status = any(%(statuses)s)
"""


async def told_of_open(connection: Connection, alert_id: UUID) -> list[UUID]:
    """The channels for which the ledger holds this alert's open, in a stable order."""
    sql = "select channel_id from notifier.deliveries where alert_id = %s and kind = 'opened' order by channel_id"
    cursor = await connection.execute(sql, (alert_id,))
    return [row["channel_id"] for row in await cursor.fetchall()]


async def enter(connection: Connection, deliveries: Iterable[NewDelivery], *, due: datetime) -> None:
    """Enters deliveries that are due at once; one that is there already stays as it is."""
    for one in deliveries:
        await connection.execute(
            """
            insert into notifier.deliveries (delivery_id, workspace_id, channel_id, alert_id, transition_id, host_id,
                rule_id, n, kind, cause, status, next_attempt_at, entered_at, told_at, telling)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'waiting', %s, %s, %s, %s)
            on conflict (delivery_id) do nothing
            """,
            (
                one.delivery_id,
                one.workspace_id,
                one.channel_id,
                one.alert_id,
                one.transition_id,
                one.host_id,
                one.rule_id,
                one.n,
                one.kind,
                one.cause,
                due,
                due,
                one.told_at,
                one.telling.model_dump_json(),
            ),
        )


async def redeliver(
    connection: Connection, delivery_id: UUID, *, channel_id: UUID, workspace_id: UUID, due: datetime
) -> bool:
    """Makes a finished delivery due again, with the same id. False when there is none such on the channel."""
    await _lock(connection, channel_id)
    parameters = {"due": due, "channel": channel_id, "workspace": workspace_id, "statuses": _FINAL, "one": delivery_id}
    cursor = await connection.execute(_AGAIN + " and delivery_id = %(one)s", parameters)
    return cursor.rowcount == 1


async def redeliver_span(
    connection: Connection,
    channel_id: UUID,
    *,
    workspace_id: UUID,
    since: datetime,
    until: datetime,
    statuses: Sequence[DeliveryStatus],
    due: datetime,
) -> int:
    """Makes finished deliveries of transitions in [since, until) due again; returns how many."""
    await _lock(connection, channel_id)
    wanted = [status.value for status in statuses if status.value in _FINAL]
    cursor = await connection.execute(
        _AGAIN + " and transition_id is not null and told_at >= %(since)s and told_at < %(until)s",
        {
            "due": due,
            "channel": channel_id,
            "workspace": workspace_id,
            "statuses": wanted,
            "since": since,
            "until": until,
        },
    )
    return cursor.rowcount


async def _lock(connection: Connection, channel_id: UUID) -> None:
    await connection.execute("select from notifier.channels where channel_id = %s for update", (channel_id,))
