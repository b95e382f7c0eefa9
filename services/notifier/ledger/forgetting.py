"""What the ledger forgets: deliveries that are over and old. All of an alert's on a channel go together, or none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notifier.ledger.channels import lock_channel
from vigilo.adapters.postgres import Connection

# Longer than anything waits, and than commands that name deliveries are kept.
KEPT_AT_LEAST: Final = timedelta(days=9)
# An alert's close ends it and a notice is all there is of one; what is no alert stands for itself.
_OVER: Final = """
    d.channel_id = {channel} and d.status in ('delivered', 'failed', 'superseded')
    and d.kind not in ('opened', 'acknowledged', 'reminder') and coalesce(d.settled_at, d.entered_at) < %(before)s
"""


async def channels_to_tidy(connection: Connection, *, before: datetime) -> list[UUID]:
    """Channels with something that was over before that instant."""
    over = _OVER.format(channel="c.channel_id")
    cursor = await connection.execute(
        f"select channel_id from notifier.channels c where exists (select from notifier.deliveries d where {over})",
        {"before": before},
    )
    return [row["channel_id"] for row in await cursor.fetchall()]


async def forget_deliveries(connection: Connection, channel_id: UUID, *, before: datetime, most: int) -> int:
    """Deletes up to `most` messages that were over before that instant, each with all that led to it.

    Returns how many deliveries went. An alert stays while its close was not entered, or anything of it waits or is
    younger. Nothing goes while another notifier is at the channel.
    """
    if await lock_channel(connection, channel_id, now=before, wait=False) is None:
        return 0
    cursor = await connection.execute(
        f"""
        with over as (
            select d.delivery_id, d.alert_id from notifier.deliveries d
            where {_OVER.format(channel="%(channel)s")}
                and not exists (
                    select from notifier.deliveries o where o.channel_id = d.channel_id and o.alert_id = d.alert_id
                        and (o.status in ('waiting', 'retrying') or coalesce(o.settled_at, o.entered_at) >= %(before)s))
            order by coalesce(d.settled_at, d.entered_at) limit %(most)s
        )
        delete from notifier.deliveries where delivery_id in (
            select delivery_id from over
            union all
            select a.delivery_id from over join notifier.deliveries a using (alert_id) where a.channel_id = %(channel)s)
        """,
        {"channel": channel_id, "before": before, "most": most},
    )
    return cursor.rowcount
