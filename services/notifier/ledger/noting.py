"""A channel's health written down: circuit and pace, what is due at once, and what others are told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.notifier.health import Health
from services.notifier.ledger.channels import store_health
from services.notifier.ledger.others import tell, tell_works
from services.notifier.records import ChannelState
from vigilo.adapters.postgres import Connection


async def note_health(connection: Connection, channel: ChannelState, health: Health, *, at: datetime) -> None:
    """What an attempt changed of its channel, which the caller has locked."""
    await store_health(connection, channel.channel_id, health)
    if health.resumes:
        await _resume(connection, channel.channel_id, at=at)
    if health.tells is not None:
        await tell(connection, channel, health.tells, at=at)
    if health.tells_works is not None:
        await tell_works(connection, channel, health.tells_works, at=at)


async def _resume(connection: Connection, channel_id: UUID, *, at: datetime) -> None:
    """The receiver is back: what waited for its own next attempt need not."""
    await connection.execute(
        """
        update notifier.deliveries set next_attempt_at = %(at)s
        where channel_id = %(channel)s and status in ('waiting', 'retrying') and next_attempt_at > %(at)s
            and (claimed_until is null or claimed_until <= %(at)s)
        """,
        {"channel": channel_id, "at": at},
    )
