"""Hosts in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import errors

from services.api.stores import rows
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host, HostStatus

TABLE: Final = "hosts"
_TARGET: Final = "(workspace_id, hostname, port, address, sni, protocol, pool)"


class TargetTaken(Exception):
    """The workspace has a host with this target already."""

    def __init__(self, existing: UUID | None) -> None:
        super().__init__(str(existing))
        self.existing = existing


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts to list. Without `status` all but deleted ones."""

    tag: str | None = None
    text: str | None = None
    status: HostStatus | None = None


async def lock(connection: Connection, host_id: UUID) -> Host:
    """The host, its row locked until the transaction ends. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Host, host_id, what="host", lock=True)


async def load(connection: Connection, host_id: UUID) -> Host:
    """The host. Raises a 404 problem."""
    return await rows.load(connection, TABLE, Host, host_id, what="host")


async def add(connection: Connection, host: Host) -> None:
    """Adds the host. Raises TargetTaken."""
    clause = f"on conflict {_TARGET} where status <> 'deleted' do nothing"
    if not await rows.insert(connection, TABLE, host, unless=clause):
        raise TargetTaken(await find_target(connection, host))


async def update(connection: Connection, host: Host) -> None:
    """Overwrites the host. Raises TargetTaken; the transaction goes on."""
    try:
        async with connection.transaction():
            await rows.update(connection, TABLE, host)
    except errors.UniqueViolation:
        raise TargetTaken(await find_target(connection, host)) from None


async def find_target(connection: Connection, host: Host) -> UUID | None:
    """The id of the host with this target, other than `host` itself."""
    row = await (
        await connection.execute(
            "select host_id from config.hosts where status <> 'deleted' and host_id <> %s and hostname = %s "
            "and port = %s and address is not distinct from %s and sni is not distinct from %s "
            "and protocol = %s and pool = %s",
            (host.host_id, host.hostname, host.port, host.address, host.sni, host.protocol.value, host.pool),
        )
    ).fetchone()
    return row["host_id"] if row else None


async def page(connection: Connection, wanted: HostFilter, *, after: tuple[Any, ...] | None, limit: int) -> list[Host]:
    """At most `limit` hosts by (hostname, port, id), after that key."""
    conditions = ["status = %(status)s" if wanted.status else "status <> 'deleted'"]
    values: dict[str, Any] = {"status": wanted.status.value if wanted.status else None, "limit": limit}
    if wanted.tag is not None:
        conditions.append("tags @> array[%(tag)s]")
        values["tag"] = wanted.tag
    if wanted.text is not None:
        conditions.append("hostname like %(text)s")
        values["text"] = f"%{_escaped(wanted.text.lower())}%"
    if after is not None:
        conditions.append("(hostname, port, host_id) > (%(name)s, %(port)s, %(id)s)")
        values |= {"name": after[0], "port": after[1], "id": after[2]}
    statement = f"select * from config.hosts where {' and '.join(conditions)} order by hostname, port, host_id"
    found = await connection.execute(f"{statement} limit %(limit)s", values)
    return [Host.model_validate(row) for row in await found.fetchall()]


async def pools(connection: Connection) -> tuple[str, ...]:
    """The pools of the workspace, none of which is taken away until the transaction ends."""
    row = await (await connection.execute("select pools from config.workspaces for key share")).fetchone()
    return tuple(row["pools"]) if row else ()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
