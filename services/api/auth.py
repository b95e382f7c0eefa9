"""Who is asking: a bearer token, bound to one workspace. Never a cookie.

A token is `vgl_` and 256 random bits; only its SHA-256 is kept. Unknown, expired and revoked tokens are not told apart.
What a token may do is asked at every request: a personal one is worth what its user is in the workspace at that moment.
Source: RFC 6750 (bearer), OWASP API Security 2023 API1 and API2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.permissions import LEAST, Permission, Role, allowed
from services.api.problems import Problem
from services.api.resources import resources
from services.api.web.address import client_of
from vigilo.adapters.postgres import Connection

TOKEN_PREFIX: Final = "vgl_"
_TOKEN = re.compile(r"vgl_[A-Za-z0-9_-]{43}")
_CHALLENGE: Final = 'Bearer realm="vigilo"'

bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token of this workspace: `vgl_...`")


class Means(StrEnum):
    """By what somebody asks: a kind of token, or a session of the web pages."""

    PERSONAL = "personal"
    SERVICE = "service"
    FEED = "feed"
    INSTALLATION = "installation"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent this request, and where it may look.

    `role` is the present one; `scopes` narrows it (None: not at all). `means_id` is the token's or the session's id,
    `origin` the client's address.
    """

    workspace_id: UUID
    slug: str
    role: Role
    means: Means
    means_id: UUID
    user_id: UUID | None = None
    scopes: frozenset[Permission] | None = None
    origin: str | None = None

    @property
    def name(self) -> str:
        """Who did it, as events tell it."""
        return f"token:{self.means_id}" if self.user_id is None else f"user:{self.user_id}"

    def may(self, permission: Permission) -> bool:
        """True when the caller has that permission."""
        return allowed(self.role, permission) and self.in_scope(permission)

    def in_scope(self, permission: Permission) -> bool:
        """True when the token was made for such actions too, whatever its role."""
        return self.scopes is None or permission in self.scopes

    def require(self, permission: Permission) -> None:
        """Raises a 403 problem unless the caller has that permission."""
        if not allowed(self.role, permission):
            needed = LEAST[permission].label
            detail = f"This needs the role {needed} or above; yours here is {self.role.label}."
            raise Problem(403, "forbidden", detail, permission=permission.value, required_role=needed)
        if not self.in_scope(permission):
            detail = f"This token was not made for that: the scope {permission} is missing."
            raise Problem(403, "forbidden", detail, permission=permission.value, required_scope=permission.value)


def new_token() -> str:
    """A fresh token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def looks_like_token(text: str) -> bool:
    """True for text of a token's form."""
    return _TOKEN.fullmatch(text) is not None


def token_sha256(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8")).digest()


async def owner_of(connection: Connection, token: str, *, origin: str | None = None) -> Caller | None:
    """Who holds this token; None for an unknown, expired or revoked one."""
    if not looks_like_token(token):
        return None
    digest = token_sha256(token)
    row = await (await connection.execute("select * from config.token_owner(%s)", (digest,))).fetchone()
    if row is None or not hmac.compare_digest(digest, bytes(row["sha256"])):
        return None
    return Caller(
        workspace_id=row["workspace_id"],
        slug=row["slug"],
        role=Role.named(row["role"]),
        means=Means(row["kind"]),
        means_id=row["token_id"],
        user_id=row["user_id"],
        scopes=_scopes(row["scopes"]),
        origin=origin,
    )


def _scopes(kept: list[str] | None) -> frozenset[Permission] | None:
    # A scope this code does not know any more allows nothing.
    known = {permission.value for permission in Permission}
    return None if kept is None else frozenset(Permission(scope) for scope in kept if scope in known)


async def token_caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """Dependency: who holds the token of this request, whatever its address names. 401 without a good token."""
    if credentials is None:
        raise _unauthorised("Send your token as `Authorization: Bearer vgl_...`.", _CHALLENGE)
    async with resources(request).pool.connection() as connection:
        found = await owner_of(connection, credentials.credentials, origin=client_of(request))
    if found is None:
        raise _unauthorised("This token is unknown, expired or revoked.", f'{_CHALLENGE}, error="invalid_token"')
    request.state.caller = found  # whose refusals are audited (audit/refusals.py)
    return found


TokenCaller = Annotated[Caller, Depends(token_caller)]


async def caller(
    workspace: Annotated[str, Path(description="Id or short name of the workspace", examples=["default"])],
    found: TokenCaller,
) -> Caller:
    """Dependency: the caller of a request under /workspaces/{workspace}. 401 without a good token, 404 elsewhere."""
    if workspace.lower() not in {found.slug, str(found.workspace_id)}:
        raise Problem(404, "not-found", "There is no such workspace, or it is not yours.")
    return found


def _unauthorised(detail: str, challenge: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


Authenticated = Annotated[Caller, Depends(caller)]
