"""Hosts as the history names them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from services.api.problems import not_found
from vigilo.adapters.postgres import Connection

# Today's name and tags of the host `h`, else what `observed` (an event's own words) says: for hosts long gone.
HOST_COLUMNS: Final = """
    coalesce(h.hostname, {observed} ->> 'hostname') as hostname,
    coalesce(h.port, ({observed} ->> 'port')::integer) as port,
    coalesce(h.tags, '{{}}') as tags
"""


def host_columns(observed: str) -> str:
    """The columns `hostname`, `port` and `tags`; `observed` is an SQL expression for the event's own host."""
    return HOST_COLUMNS.format(observed=observed)


async def ensure_known(connection: Connection, host_id: UUID) -> None:
    """The host is, or was, one of this workspace. Raises a 404 problem."""
    found = await connection.execute("select from config.hosts where host_id = %s", (host_id,))
    if await found.fetchone() is None:
        raise not_found("host")
