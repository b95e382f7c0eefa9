"""Alert rules in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.api.problems import invalid
from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.rules import AlertRule, OneHost, TaggedHosts

TABLE: Final = "alert_rules"


async def lock(connection: Connection, rule_id: UUID) -> AlertRule:
    """The rule, its row locked until the transaction ends. Raises a 404 problem."""
    return await rows.load(connection, TABLE, AlertRule, rule_id, what="rule", lock=True)


async def load(connection: Connection, rule_id: UUID) -> AlertRule:
    """The rule. Raises a 404 problem."""
    return await rows.load(connection, TABLE, AlertRule, rule_id, what="rule")


async def page(connection: Connection, *, after: UUID | None, limit: int) -> list[AlertRule]:
    """At most `limit` rules in the order they were made, after that id."""
    return await rows.page(connection, TABLE, AlertRule, after=after, limit=limit)


async def hold_channels(connection: Connection, rule: AlertRule) -> None:
    """Nobody deletes a channel of the rule until the transaction ends; who is deleting one is waited for.

    Before `check_references`: else a rule and the end of its channel, written at once, would both be allowed.
    """
    await connection.execute(
        "select from config.channels where channel_id = any(%s) order by channel_id for share", (list(rule.channels),)
    )


async def check_references(connection: Connection, rule: AlertRule) -> None:
    """Raises a 422 problem if the rule names a channel or a host this workspace has not."""
    missing = await _missing_channels(connection, rule.channels)
    if missing:
        raise invalid("channels", f"there is no channel {missing[0]}", "ids of channels of this workspace")
    if isinstance(rule.scope, OneHost) and not await _host_exists(connection, rule.scope.host_id):
        raise invalid("scope.host_id", f"there is no host {rule.scope.host_id}", "the id of a host of this workspace")


async def hosts_with_tag(connection: Connection, rule: AlertRule) -> int | None:
    """How many hosts carry the tag of the rule's scope; None for a rule of another scope."""
    if not isinstance(rule.scope, TaggedHosts):
        return None
    found = await connection.execute(
        "select count(*) as n from config.hosts where status <> 'deleted' and tags @> array[%s]", (rule.scope.tag,)
    )
    row = await found.fetchone()
    return int(row["n"]) if row else 0


async def disabled_channels(connection: Connection, rule: AlertRule) -> list[str]:
    """Names of the rule's channels that are disabled."""
    found = await connection.execute(
        "select name from config.channels where channel_id = any(%s) and not enabled order by channel_id",
        (list(rule.channels),),
    )
    return [row["name"] for row in await found.fetchall()]


async def using(connection: Connection, channel_id: UUID) -> list[AlertRule]:
    """The rules that send to this channel, oldest first."""
    found = await connection.execute(
        "select * from config.alert_rules where status <> 'deleted' and channels @> array[%s] "
        "order by rule_id limit 20",
        (channel_id,),
    )
    return [AlertRule.model_validate(row) for row in await found.fetchall()]


async def _missing_channels(connection: Connection, channels: Sequence[UUID]) -> list[UUID]:
    found = await connection.execute(
        "select wanted from unnest(%s::uuid[]) wanted where not exists "
        "(select from config.channels c where c.channel_id = wanted and c.status <> 'deleted')",
        (list(channels),),
    )
    return [row["wanted"] for row in await found.fetchall()]


async def _host_exists(connection: Connection, host_id: UUID) -> bool:
    found = await connection.execute(
        "select 1 as one from config.hosts where host_id = %s and status <> 'deleted'", (host_id,)
    )
    return await found.fetchone() is not None
