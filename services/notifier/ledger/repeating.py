"""What is told again and again to receivers that forget: which channels are due, and what they must hear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import TypeAdapter

from services.notifier.delivery import Attempt
from services.notifier.health import health_after
from services.notifier.ledger.channels import lock_channel
from services.notifier.ledger.noting import note_health
from services.notifier.planning import Limits
from services.notifier.tellings import TransitionTelling
from vigilo.adapters.postgres import Connection
from vigilo.events.alerts import AlertTransition
from vigilo.events.rules import ChannelKind

_TELLING: TypeAdapter[TransitionTelling] = TypeAdapter(TransitionTelling)


@dataclass(frozen=True, slots=True)
class Repetition:
    """One round for one channel: its open alerts, and those that closed a short while ago, in order."""

    channel_id: UUID
    workspace_id: UUID
    key_id: str | None
    sealed: bytes | None
    transitions: tuple[AlertTransition, ...]


async def due_repetitions(
    connection: Connection, kind: ChannelKind, *, now: datetime, every: timedelta, closed_for: timedelta
) -> list[Repetition]:
    """Takes the channels of that kind whose last round is `every` ago; of several notifiers one gets each.

    While a channel's circuit is open the round is a probe: with nothing else to send nobody would find out that the
    receiver is back, and it would have forgotten everything.
    """
    cursor = await connection.execute(
        """
        with taken as (
            update notifier.channels c set repeated_at = %(now)s
            where channel_id in (
                select channel_id from notifier.channels where kind = %(kind)s and enabled and not deleted and not gone
                    and (opened_at is null or probe_at <= %(now)s)
                    and (repeated_at is null or repeated_at <= %(before)s)
                for no key update skip locked)
            returning c.channel_id, c.workspace_id
        )
        select t.channel_id, t.workspace_id, s.key_id, s.ciphertext from taken t
        left join notifier.channel_secrets s on s.channel_id = t.channel_id and s.workspace_id = t.workspace_id
        """,
        {"now": now, "kind": kind.value, "before": now - every},
    )
    found = []
    for row in await cursor.fetchall():
        told = await _transitions(connection, row["channel_id"], closed_since=now - closed_for)
        found.append(Repetition(row["channel_id"], row["workspace_id"], row["key_id"], row["ciphertext"], told))
    return found


async def note_repetition(
    connection: Connection, channel_id: UUID, attempt: Attempt, *, at: datetime, limits: Limits
) -> None:
    """What a round says of the channel's receiver. It is no delivery and no event."""
    channel = await lock_channel(connection, channel_id, now=at)
    if channel is None:
        return
    probe = channel.circuit.open
    health = health_after(channel, attempt, probe=probe, of_alert=True, at=at, limits=limits)
    await note_health(connection, channel, health, at=at)


async def _transitions(
    connection: Connection, channel_id: UUID, *, closed_since: datetime
) -> tuple[AlertTransition, ...]:
    cursor = await connection.execute(
        """
        select coalesce(c.telling, o.telling) as telling
        from notifier.deliveries o left join notifier.deliveries c
            on c.channel_id = o.channel_id and c.alert_id = o.alert_id and c.kind = 'closed'
                and c.status in ('delivered', 'failed')
        where o.channel_id = %s and o.kind = 'opened' and o.status = 'delivered'
            and (c.delivery_id is null or c.settled_at >= %s)
        order by o.position
        """,
        (channel_id, closed_since),
    )
    return tuple(_TELLING.validate_python(row["telling"]).transition for row in await cursor.fetchall())
