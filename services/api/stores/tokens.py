"""Tokens in PostgreSQL: only the SHA-256 of a secret is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.api.auth import token_sha256
from services.api.commands.tokens import Token
from services.api.permissions import Role
from services.api.problems import not_found
from vigilo.adapters.postgres import Connection

_SELECT: Final = (
    "select token_id, kind, name, role, scopes, user_id, created_by, created_at, expires_at, last_used_at, revoked_at "
    "from config.tokens "
)


async def add(connection: Connection, workspace_id: UUID, token: Token, secret: str) -> None:
    """Adds the token."""
    await connection.execute(
        "insert into config.tokens (token_id, workspace_id, sha256, kind, name, role, scopes, user_id, created_by, "
        "created_at, expires_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            token.token_id,
            workspace_id,
            token_sha256(secret),
            token.kind,
            token.name,
            token.role.label,
            token.scopes,
            token.user_id,
            token.created_by,
            token.created_at,
            token.expires_at,
        ),
    )


async def page(
    connection: Connection, *, of: UUID | None, everybodys: bool, kind: str | None, after: UUID | None, limit: int
) -> list[Token]:
    """At most `limit` tokens in the order they were made, after that id: those of user `of`, or everybody's."""
    found = await connection.execute(
        _SELECT + "where (%(all)s or user_id = %(of)s) and (kind = %(kind)s or %(kind)s::text is null) "
        "and (token_id > %(after)s or %(after)s::uuid is null) order by token_id limit %(limit)s",
        {"all": everybodys, "of": of, "kind": kind, "after": after, "limit": limit},
    )
    return [_token(row) for row in await found.fetchall()]


async def lock(connection: Connection, token_id: UUID) -> Token:
    """The token, its row locked until the transaction ends. Raises a 404 problem."""
    found = await connection.execute(_SELECT + "where token_id = %s for update", (token_id,))
    row = await found.fetchone()
    if row is None:
        raise not_found("token")
    return _token(row)


async def revoke(connection: Connection, token_id: UUID, *, at: datetime) -> None:
    """The token opens nothing any more."""
    await connection.execute("update config.tokens set revoked_at = %s where token_id = %s", (at, token_id))


def _token(row: dict[str, Any]) -> Token:
    return Token(**{**row, "role": Role.named(row["role"])})
