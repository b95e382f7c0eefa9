"""Sign-ins and what belongs to them, told in the audit log of every workspace the person is a member of.

What concerns nobody known (a mistyped address, an unknown subject) belongs to no workspace: a log line tells it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import record
from vigilo.adapters.postgres import Connection, tenant

logger = logging.getLogger("vigilo.api.signin")


async def tell(
    connection: Connection,
    user_id: UUID,
    action: str,
    *,
    origin: str | None,
    at: datetime,
    after: Mapping[str, Any] | None = None,
    actor: str | None = None,
) -> None:
    """One entry per workspace of this user, in the transaction under way. The actor is the user unless named."""
    told = Change(action, f"user:{user_id}", None, after or {})
    # In one order for all: each entry takes the lock of its workspace's chain until the transaction ends.
    found = await connection.execute("select id from config.workspaces_to_tell_of(%s) as id", (user_id,))
    for row in await found.fetchall():
        async with tenant(connection, row["id"]):
            await record(connection, row["id"], (told,), actor=actor or f"user:{user_id}", origin=origin, at=at)


def log_refusal(reason: str, *, origin: str | None) -> None:
    """A refused sign-in that belongs to no workspace."""
    logger.info("sign-in refused", extra={"reason": reason, "origin": origin})
