"""What other channels are told of a channel that keeps failing, and when it works again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.notifier.ledger.channels import fit_to_tell, lock_channel, remember_told
from services.notifier.ledger.entering import enter
from services.notifier.planning import Limits
from services.notifier.records import ChannelState
from services.notifier.settling import failing_notice, notice_delivery_id, overdue, works_notice
from vigilo.adapters.postgres import Connection


async def tell_failing(
    connection: Connection, channel: ChannelState, since: datetime, *, gone: bool, at: datetime
) -> None:
    """Every other channel that can be told is told once of this failing."""
    others = await fit_to_tell(connection, channel)
    await enter(connection, [failing_notice(channel, since, one, gone=gone, at=at) for one in others], due=at)
    await remember_told(connection, channel.channel_id, since)


async def tell_works(connection: Connection, channel: ChannelState, since: datetime, *, at: datetime) -> None:
    """Those that were told of the failing are told that it is over."""
    told = await _told(connection, channel, since)
    await enter(connection, [works_notice(channel, since, one, at=at) for one in told], due=at)
    await remember_told(connection, channel.channel_id, None)


async def tell_if_overdue(connection: Connection, channel_id: UUID, *, at: datetime, limits: Limits) -> bool:
    """Tells of a channel that has failed for too long; False if it works by now or another notifier was first."""
    channel = await lock_channel(connection, channel_id, now=at, wait=False)
    if channel is None or channel.closed is not None:
        return False
    since = channel.circuit.failing_since
    if since is None or not overdue(channel.circuit, told=channel.told_failing, at=at, after=limits.tell_after):
        return False
    await tell_failing(connection, channel, since, gone=False, at=at)
    return True


async def _told(connection: Connection, channel: ChannelState, since: datetime) -> list[UUID]:
    cursor = await connection.execute(
        "select channel_id from notifier.channels where workspace_id = %s order by channel_id", (channel.workspace_id,)
    )
    by_delivery = {
        notice_delivery_id(channel.channel_id, since, row["channel_id"], "failing"): row["channel_id"]
        for row in await cursor.fetchall()
    }
    cursor = await connection.execute(
        "select delivery_id from notifier.deliveries where delivery_id = any(%s) order by channel_id",
        (list(by_delivery),),
    )
    return [by_delivery[row["delivery_id"]] for row in await cursor.fetchall()]
