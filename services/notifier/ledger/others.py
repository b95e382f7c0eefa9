"""What other channels are told of a channel that is in trouble, and when it works again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.notifier.health import Trouble, Word, notice_delivery_id, overdue, trouble_notice, works_notice
from services.notifier.ledger.channels import fit_to_tell, lock_channel, remember_told
from services.notifier.ledger.entering import enter
from services.notifier.planning import Limits
from services.notifier.records import ChannelState
from vigilo.adapters.postgres import Connection


async def tell(connection: Connection, channel: ChannelState, word: Word, *, at: datetime) -> bool:
    """Every other channel that can be told is told once. False if there is none, which may change."""
    others = await fit_to_tell(connection, channel)
    await enter(connection, [trouble_notice(channel, word, one, at=at) for one in others], due=at)
    if others and word.trouble.lasts:
        await remember_told(connection, channel.channel_id, word.since)
    return bool(others)


async def tell_works(connection: Connection, channel: ChannelState, since: datetime, *, at: datetime) -> None:
    """Those that were told of trouble that lasts are told that it is over."""
    told = await _told(connection, channel, since)
    await enter(connection, [works_notice(channel, since, one, at=at) for one in told], due=at)
    await remember_told(connection, channel.channel_id, None)


async def tell_if_overdue(connection: Connection, channel_id: UUID, *, at: datetime, limits: Limits) -> bool:
    """Tells of a channel that has failed for too long; False if it works by now, another notifier was first, or there
    is nobody to tell.
    """
    channel = await lock_channel(connection, channel_id, now=at, wait=False)
    if channel is None or channel.closed is not None:
        return False
    since = overdue(channel.circuit, told=channel.told_failing, at=at, after=limits.tell_after)
    if since is None:
        return False
    return await tell(connection, channel, Word(Trouble.FAILING, since), at=at)


async def _told(connection: Connection, channel: ChannelState, since: datetime) -> list[UUID]:
    """The channels whose notice of this trouble the ledger holds."""
    cursor = await connection.execute(
        "select channel_id from notifier.channels where workspace_id = %s order by channel_id", (channel.workspace_id,)
    )
    by_delivery = {
        notice_delivery_id(channel.channel_id, since, row["channel_id"], trouble): row["channel_id"]
        for row in await cursor.fetchall()
        for trouble in Trouble
        if trouble.lasts
    }
    cursor = await connection.execute(
        "select distinct on (channel_id) delivery_id from notifier.deliveries where delivery_id = any(%s) "
        "order by channel_id",
        (list(by_delivery),),
    )
    return [by_delivery[row["delivery_id"]] for row in await cursor.fetchall()]
