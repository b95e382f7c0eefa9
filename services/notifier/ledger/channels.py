"""Channels as the ledger knows them: what they take, how fast, and whether their receiver answers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import TRAITS
from services.notifier.circuit import Circuit
from services.notifier.health import Health
from services.notifier.recipients import Routed
from services.notifier.records import ChannelState
from vigilo.adapters.postgres import Connection
from vigilo.events.rules import Channel, ChannelKind, RecordStatus, Route

_ROUTES = TypeAdapter(tuple[Route, ...])
_COLUMNS = """
    channel_id, workspace_id, kind, name, deleted, enabled, gone, tokens, tokens_at, failures, failing_since, opened_at,
    probes, probe_at, told_failing
"""


async def store_channel(connection: Connection, channel: Channel) -> None:
    """Keeps the newest version of a channel; an older one changes nothing. A new version starts with a clean record.

    That others were told of its failing is remembered until it works.
    """
    await connection.execute(
        """
        insert into notifier.channels (channel_id, workspace_id, version, deleted, kind, name, enabled, routes)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (channel_id) do update set version = excluded.version, deleted = excluded.deleted,
            kind = excluded.kind, name = excluded.name, enabled = excluded.enabled, routes = excluded.routes,
            gone = false, failures = 0, failing_since = null, opened_at = null, probes = 0, probe_at = null,
            hold_until = null
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
            json.dumps([route.model_dump(mode="json") for route in channel.routes]),
        ),
    )


async def routed(connection: Connection, workspace_id: UUID) -> list[Routed]:
    """The workspace's channels in use that have routes, in a stable order."""
    cursor = await connection.execute(
        "select channel_id, routes from notifier.channels where workspace_id = %s and enabled and not deleted "
        "and not gone and routes <> '[]' order by channel_id",
        (workspace_id,),
    )
    return [Routed(row["channel_id"], _ROUTES.validate_python(row["routes"])) for row in await cursor.fetchall()]


async def channel_name(connection: Connection, channel_id: UUID) -> str | None:
    """What people call it; None when its record has not arrived."""
    cursor = await connection.execute("select name from notifier.channels where channel_id = %s", (channel_id,))
    row = await cursor.fetchone()
    return None if row is None else str(row["name"])


async def lock_channel(
    connection: Connection, channel_id: UUID, *, now: datetime, wait: bool = True
) -> ChannelState | None:
    """The channel, locked until the transaction ends. None when it is unknown or, without `wait`, at work elsewhere."""
    skip = "" if wait else " skip locked"
    cursor = await connection.execute(
        f"select {_COLUMNS} from notifier.channels where channel_id = %s for no key update{skip}", (channel_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else _state(row, now)


async def store_health(connection: Connection, channel_id: UUID, health: Health) -> None:
    """What an attempt changed; the channel is looked at anew."""
    circuit = health.circuit
    await connection.execute(
        """
        update notifier.channels set failures = %s, failing_since = %s, opened_at = %s, probes = %s, probe_at = %s,
            tokens = %s, tokens_at = %s, gone = gone or %s, hold_until = null
        where channel_id = %s
        """,
        (
            circuit.failures,
            circuit.failing_since,
            circuit.opened_at,
            circuit.probes,
            circuit.probe_at,
            health.bucket.tokens,
            health.bucket.at,
            health.gone,
            channel_id,
        ),
    )


async def store_pace(connection: Connection, channel_id: UUID, bucket: Bucket | None, hold: datetime | None) -> None:
    """What a plan changed."""
    if bucket is not None:
        sql = "update notifier.channels set tokens = %s, tokens_at = %s, hold_until = %s where channel_id = %s"
        await connection.execute(sql, (bucket.tokens, bucket.at, hold, channel_id))
        return
    await connection.execute("update notifier.channels set hold_until = %s where channel_id = %s", (hold, channel_id))


async def keeps_failing(connection: Connection, *, now: datetime, after: timedelta) -> list[UUID]:
    """Channels in use that have failed for so long with something waiting, and of which nobody was told."""
    cursor = await connection.execute(
        """
        select channel_id from notifier.channels c
        where enabled and not deleted and not gone and failing_since <= %s
            and told_failing is distinct from failing_since
            and exists (select from notifier.deliveries d
                        where d.channel_id = c.channel_id and d.status in ('waiting', 'retrying'))
        """,
        (now - after,),
    )
    return [row["channel_id"] for row in await cursor.fetchall()]


async def fit_to_tell(connection: Connection, of: ChannelState) -> list[UUID]:
    """The other channels of its workspace that can be told of this one: in use, and their receivers answer."""
    cursor = await connection.execute(
        "select channel_id from notifier.channels where workspace_id = %s and channel_id <> %s and enabled "
        "and not deleted and not gone and opened_at is null order by channel_id",
        (of.workspace_id, of.channel_id),
    )
    return [row["channel_id"] for row in await cursor.fetchall()]


async def remember_told(connection: Connection, channel_id: UUID, since: datetime | None) -> None:
    """Which failing others were told of; None once they were told that it works."""
    await connection.execute(
        "update notifier.channels set told_failing = %s where channel_id = %s", (since, channel_id)
    )


async def circuits(connection: Connection) -> dict[str, tuple[int, int]]:
    """(closed, open) circuits of channels in use, by kind."""
    cursor = await connection.execute(
        "select kind, count(*) filter (where opened_at is null) as closed, "
        "count(*) filter (where opened_at is not null) as opened "
        "from notifier.channels where enabled and not deleted and not gone group by kind"
    )
    return {row["kind"]: (row["closed"], row["opened"]) for row in await cursor.fetchall()}


def _state(row: dict[str, Any], now: datetime) -> ChannelState:
    kind = ChannelKind(row["kind"])
    traits = TRAITS[kind]
    tokens = traits.burst if row["tokens"] is None else min(row["tokens"], traits.burst)
    return ChannelState(
        channel_id=row["channel_id"],
        workspace_id=row["workspace_id"],
        kind=kind,
        name=row["name"],
        closed=_closed(row),
        bucket=Bucket(tokens, row["tokens_at"] or now, traits.per_minute, traits.burst),
        circuit=Circuit(row["failures"], row["failing_since"], row["opened_at"], row["probes"], row["probe_at"]),
        told_failing=row["told_failing"],
    )


def _closed(row: dict[str, Any]) -> str | None:
    if row["deleted"]:
        return "channel-deleted"
    if not row["enabled"]:
        return "channel-disabled"
    return "channel-gone" if row["gone"] else None
