"""Deliveries: what became of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.api.queries.places import Place
from vigilo.adapters.postgres import Connection

_DELIVERIES: Final = """
    select d.delivery_id, d.channel_id, c.name as channel_name, c.kind as channel_kind, d.transition_id, d.alert_id,
        d.host_id, d.digest_id, h.hostname, h.port, d.status, d.attempt, d.http_status, d.error_class, d.duration_ms,
        d.next_attempt_at, d.at
    from read_model.deliveries d
    left join config.channels c on c.channel_id = d.channel_id
    left join config.hosts h on h.host_id = d.host_id
"""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None, or no status, is no condition. Last touched at `since` or later, and before `until`."""

    alert_id: UUID | None = None
    channel_id: UUID | None = None
    statuses: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


async def page(
    connection: Connection, wanted: DeliveryFilter, *, after: Place | None, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` deliveries, the last touched first."""
    conditions = [
        text
        for text, applies in (
            ("d.alert_id = %(alert)s", wanted.alert_id is not None),
            ("d.channel_id = %(channel)s", wanted.channel_id is not None),
            ("d.status = any(%(statuses)s)", bool(wanted.statuses)),
            ("d.at >= %(since)s", wanted.since is not None),
            ("d.at < %(until)s", wanted.until is not None),
            ("(d.at, d.delivery_id) < (%(at)s, %(id)s)", after is not None),
        )
        if applies
    ]
    where = f"where {' and '.join(conditions)}" if conditions else ""
    found = await connection.execute(
        f"{_DELIVERIES} {where} order by d.at desc, d.delivery_id desc limit %(limit)s",
        {
            "alert": wanted.alert_id,
            "channel": wanted.channel_id,
            "statuses": list(wanted.statuses),
            "since": wanted.since,
            "until": wanted.until,
            "at": after.at if after else None,
            "id": after.id if after else None,
            "limit": limit,
        },
    )
    return await found.fetchall()


async def one(connection: Connection, delivery_id: UUID) -> dict[str, Any] | None:
    """The delivery."""
    found = await connection.execute(f"{_DELIVERIES} where d.delivery_id = %s", (delivery_id,))
    return await found.fetchone()
