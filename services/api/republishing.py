"""Writes configuration to Kafka again: all of it, or some records whose order on a topic came into doubt.

Every record is locked while it is put into the outbox, so a newer version can only come behind it. Ids and bytes are
those of the first time; readers drop what is not newer than what they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import DictRow

from services.api.commands import channels, hosts, rules, snoozes, workspaces
from services.api.database_roles import RELAY
from services.api.stores import rows
from vigilo.adapters.postgres import Connection, tenant
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule, Channel, Snooze, WorkspaceSettings

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of configuration record: where its rows are and how a row becomes its event."""

    topic: str
    table: str
    key: str
    event: Callable[[DictRow], OutgoingEvent]


KINDS: Final = (
    Kind(
        "workspace-settings",
        "workspaces",
        "workspace_id",
        lambda row: workspaces.record(WorkspaceSettings.model_validate(row), at=row["updated_at"]),
    ),
    Kind("channels", "channels", "channel_id", lambda row: channels.record(Channel.model_validate(row))),
    Kind("alert-rules", "alert_rules", "rule_id", lambda row: rules.record(AlertRule.model_validate(row))),
    Kind(
        "snoozes",
        "snoozes",
        "snooze_id",
        lambda row: snoozes.record(Snooze.model_validate(row), at=row["updated_at"]),
    ),
    Kind("hosts", "hosts", "host_id", lambda row: hosts.record(Host.model_validate(row))),
)


async def republish(connection: Connection) -> Mapping[str, int]:
    """Puts every record of every workspace into the outbox, deleted ones included; returns how many per topic.

    `connection` is one of vigilo_api outside a transaction.
    """
    counts = dict.fromkeys((kind.topic for kind in KINDS), 0)
    for workspace_id in await all_workspaces(connection):
        for kind in KINDS:
            counts[kind.topic] += await _all_of(connection, workspace_id, kind)
    return counts


async def republish_some(connection: Connection, keys: Iterable[tuple[str, str]]) -> int:
    """Puts the present version of these records, given as (topic, key), into the outbox; returns how many.

    Commands and other records that have no present version are passed over.
    """
    wanted = {(topic, UUID(key)) for topic, key in keys if any(kind.topic == topic for kind in KINDS)}
    count = 0
    for workspace_id in await all_workspaces(connection) if wanted else ():
        for kind in KINDS:
            ids = [key for topic, key in wanted if topic == kind.topic]
            async with tenant(connection, workspace_id):
                count += await _put(connection, workspace_id, kind, "{key} = any(%s)", [ids])
    return count


async def _all_of(connection: Connection, workspace_id: UUID, kind: Kind) -> int:
    count, after = 0, UUID(int=0)
    while True:
        async with tenant(connection, workspace_id):
            found = await _locked(connection, kind, "{key} > %s", [after])
            await rows.publish(connection, workspace_id, [kind.event(row) for row in found])
        count += len(found)
        if len(found) < _BATCH:
            return count
        after = found[-1][kind.key]


async def _put(connection: Connection, workspace_id: UUID, kind: Kind, condition: str, values: Sequence[Any]) -> int:
    found = await _locked(connection, kind, condition, values)
    await rows.publish(connection, workspace_id, [kind.event(row) for row in found])
    return len(found)


async def _locked(connection: Connection, kind: Kind, condition: str, values: Sequence[Any]) -> list[DictRow]:
    statement = "select * from {table} where " + condition + " order by {key} limit {most} for update"
    query = sql.SQL(statement).format(
        table=sql.Identifier("config", kind.table), key=sql.Identifier(kind.key), most=sql.Literal(_BATCH)
    )
    return await (await connection.execute(query, values)).fetchall()


async def all_workspaces(connection: Connection) -> list[UUID]:
    """Ids of all workspaces, in order; `connection` is one of vigilo_api outside a transaction."""
    # Only the relay's role sees all workspaces; what is in them is then read one workspace at a time.
    async with connection.transaction():
        await connection.execute(sql.SQL("set local role {}").format(sql.Identifier(RELAY)))
        found = await connection.execute("select workspace_id from config.workspaces order by workspace_id")
        return [row["workspace_id"] for row in await found.fetchall()]
