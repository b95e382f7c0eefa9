"""How messages fare on channels, by what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.api.models.channels import ChannelHealth
from vigilo.adapters.postgres import Connection

# An undelivered message is as old as what it tells, not as its last attempt.
_HEALTH: Final = """
    select wanted as channel_id, good.at as last_delivered_at, bad.since as failing_since, bad.last_error,
        coalesce(waiting.n, 0) as waiting
    from unnest(%s::uuid[]) wanted
    left join lateral (
        select d.at from read_model.deliveries d where d.channel_id = wanted and d.status = 'delivered'
        order by d.at desc limit 1
    ) good on true
    left join lateral (
        select min(coalesce(t.at, d.at)) as since, (array_agg(d.error_class order by d.at desc))[1] as last_error
        from read_model.deliveries d
        left join read_model.alert_transitions t
            on t.alert_id = d.alert_id and t.host_id = d.host_id and t.transition_id = d.transition_id
        where d.channel_id = wanted and d.status in ('failed', 'retrying') and (good.at is null or d.at > good.at)
    ) bad on true
    left join lateral (
        select count(*) as n from read_model.deliveries d where d.channel_id = wanted and d.status = 'retrying'
    ) waiting on true
"""


async def health(connection: Connection, channel_ids: Sequence[UUID]) -> dict[UUID, ChannelHealth]:
    """How messages fare, by channel; one entry for each that was asked for."""
    found = await connection.execute(_HEALTH, (list(channel_ids),))
    return {row["channel_id"]: ChannelHealth.model_validate(row) for row in await found.fetchall()}
