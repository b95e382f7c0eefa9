"""Queries: a read-only view of the caller's workspace, the same throughout one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.api.auth import Authenticated, Caller
from services.api.permissions import Permission
from services.api.resources import resources
from vigilo.adapters.postgres import Connection, tenant


@dataclass(frozen=True, slots=True)
class Reader:
    """The caller and a connection that sees the caller's workspace, in a read-only repeatable-read transaction."""

    caller: Caller
    connection: Connection


class ReaderFor:
    """Dependency: a `Reader` for callers with that permission; its transaction ends before the answer is sent."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request, caller: Authenticated) -> AsyncIterator[Reader]:
        """Raises a 403 problem before anything is read."""
        caller.require(self.permission)
        async with (
            resources(request).pool.connection() as connection,
            tenant(connection, caller.workspace_id, read_only=True),
        ):
            yield Reader(caller, connection)


def reading(permission: Permission) -> ReaderFor:
    """For `Annotated[Reader, Depends(reading(Permission.X), scope="function")]`."""
    return ReaderFor(permission)


Viewing = Annotated[Reader, Depends(reading(Permission.VIEW), scope="function")]
