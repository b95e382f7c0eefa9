"""Who is asking: a bearer token, bound to one workspace and one role. Never a cookie.

A token is `vgl_` and 256 random bits; only its SHA-256 is kept. Unknown, expired and revoked tokens are not told apart.
Source: RFC 6750 (bearer), OWASP API Security 2023 API1 and API2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.problems import Problem
from services.api.resources import resources
from vigilo.adapters.postgres import Connection

TOKEN_PREFIX: Final = "vgl_"
_TOKEN = re.compile(r"vgl_[A-Za-z0-9_-]{43}")
_CHALLENGE: Final = 'Bearer realm="vigilo"'

bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token of this workspace: `vgl_...`")


class Role(IntEnum):
    """What a token may do; each role may do what the ones below may."""

    VIEWER = 1
    MEMBER = 2
    APPROVER = 3
    ADMIN = 4
    OWNER = 5


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent this request, and where it may look."""

    token_id: UUID
    workspace_id: UUID
    slug: str
    role: Role

    @property
    def name(self) -> str:
        """Who did it, as events tell it."""
        return f"token:{self.token_id}"

    def require(self, role: Role) -> None:
        """Raises a 403 problem unless the caller has at least that role."""
        if self.role < role:
            needed = role.name.lower()
            detail = f"This needs the role {needed} or above; your token has the role {self.role.name.lower()}."
            raise Problem(403, "forbidden", detail, required_role=needed)


def new_token() -> str:
    """A fresh token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def looks_like_token(text: str) -> bool:
    """True for text of a token's form."""
    return _TOKEN.fullmatch(text) is not None


def token_sha256(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8")).digest()


async def owner_of(connection: Connection, token: str) -> Caller | None:
    """Who holds this token; None for an unknown, expired or revoked one."""
    if not looks_like_token(token):
        return None
    digest = token_sha256(token)
    row = await (await connection.execute("select * from config.token_owner(%s)", (digest,))).fetchone()
    if row is None or not hmac.compare_digest(digest, bytes(row["sha256"])):
        return None
    return Caller(row["token_id"], row["workspace_id"], row["slug"], Role[row["role"].upper()])


async def caller(
    request: Request,
    workspace: Annotated[str, Path(description="Id or short name of the workspace", examples=["default"])],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """Dependency: the caller of a request under /workspaces/{workspace}. 401 without a good token, 404 elsewhere."""
    if credentials is None:
        raise _unauthorised("Send your token as `Authorization: Bearer vgl_...`.", _CHALLENGE)
    async with resources(request).pool.connection() as connection:
        found = await owner_of(connection, credentials.credentials)
    if found is None:
        raise _unauthorised("This token is unknown, expired or revoked.", f'{_CHALLENGE}, error="invalid_token"')
    if workspace.lower() not in {found.slug, str(found.workspace_id)}:
        raise Problem(404, "not-found", "There is no such workspace, or it is not yours.")
    return found


def _unauthorised(detail: str, challenge: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


Authenticated = Annotated[Caller, Depends(caller)]
