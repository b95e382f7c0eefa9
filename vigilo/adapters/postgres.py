"""PostgreSQL: connection pools, and transactions that see one workspace.

Every connection is in autocommit mode: a transaction begins where the code says so (`tenant`, `connection.transaction`)
and nowhere else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, Error, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import Field, SecretStr

from vigilo.adapters.settings import EnvironmentSettings

# What work that will be tried again anyway may meet: the database is away, refuses, or has no connection free.
DATABASE_TROUBLE: Final = (Error, PoolTimeout, OSError)

Connection = AsyncConnection[DictRow]
Pool = AsyncConnectionPool[Connection]

# A dead peer is noticed after about ten seconds instead of two hours (tcp(7)).
_KEEPALIVE: Final[Mapping[str, int]] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_STATEMENT_TIMEOUT_MS: Final = 15_000


class DatabaseSettings(EnvironmentSettings):
    """Where PostgreSQL is: the URL of the role this process runs as."""

    database_url: SecretStr = Field(description="PostgreSQL URL of this service's own role")
    database_connections: int = Field(8, ge=1, le=200, description="Most connections this process opens")

    def url(self) -> str:
        """The URL, password included."""
        return self.database_url.get_secret_value()


def connection_pool(url: str, *, name: str, most: int = 8, least: int = 1) -> Pool:
    """A pool that is not open yet: `async with` it, or `open()` and `close()` it.

    Opening does not wait for the database; asking for a connection waits up to ten seconds (PoolTimeout). Statements
    end after 15 seconds. `name` is what pg_stat_activity shows.
    """
    return AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        kwargs=connection_arguments(name),
        configure=_prepare,
        check=AsyncConnectionPool.check_connection,
        min_size=least,
        max_size=max(most, least),
        timeout=10,
        name=name,
        open=False,
        num_workers=1,
    )


async def connect(url: str, *, name: str, role: str | None = None) -> Connection:
    """One connection of its own, acting as `role` if given. Raises psycopg.OperationalError."""
    connection = await AsyncConnection[DictRow].connect(url, **connection_arguments(name))
    await _prepare(connection)
    if role is not None:
        await connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
    return connection


def connection_arguments(name: str) -> dict[str, Any]:
    """What every connection of Vigilo is made with."""
    return {"autocommit": True, "row_factory": dict_row, "application_name": name, **_KEEPALIVE}


async def _prepare(connection: Connection) -> None:
    await connection.execute("set timezone to 'UTC'")
    await connection.execute(f"set statement_timeout = {_STATEMENT_TIMEOUT_MS}")
    await connection.execute("set idle_in_transaction_session_timeout = 60000")


@asynccontextmanager
async def tenant(connection: Connection, workspace_id: UUID, *, read_only: bool = False) -> AsyncIterator[Connection]:
    """A transaction that sees and writes the rows of one workspace and no other.

    The workspace is set for this transaction alone, so the connection can go back to its pool.
    """
    async with connection.transaction():
        if read_only:
            # Repeatable read: the pages, counts and names of one answer fit together.
            await connection.execute("set transaction isolation level repeatable read, read only")
        await connection.execute("select set_config('vigilo.workspace', %s, true)", (str(workspace_id),))
        yield connection
