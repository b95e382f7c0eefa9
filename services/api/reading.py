"""Queries: a read-only view of the caller's workspace, the same throughout one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.api.auth import Authenticated, Caller
from services.api.resources import resources
from vigilo.adapters.postgres import Connection, tenant


@dataclass(frozen=True, slots=True)
class Reader:
    """The caller and a connection that sees the caller's workspace, in a read-only repeatable-read transaction."""

    caller: Caller
    connection: Connection


async def reader(request: Request, caller: Authenticated) -> AsyncIterator[Reader]:
    """Dependency: a `Reader`; its transaction ends before the answer is sent."""
    async with (
        resources(request).pool.connection() as connection,
        tenant(connection, caller.workspace_id, read_only=True),
    ):
        yield Reader(caller, connection)


Reading = Annotated[Reader, Depends(reader, scope="function")]
