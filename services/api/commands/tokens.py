"""What a new token may be, who may end one, and how the audit log tells it. Pure.

Nobody makes a token that may more than he may himself: neither by its role nor by its scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.api.audit.change import Change
from services.api.auth import Caller
from services.api.models.tokens import TokenToMake
from services.api.permissions import Permission, Role
from services.api.problems import Problem, invalid


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret; fields as the columns of config.tokens."""

    token_id: UUID
    kind: str
    name: str
    role: Role
    scopes: list[str] | None
    user_id: UUID | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def make(wanted: TokenToMake, by: Caller, *, token_id: UUID, at: datetime) -> Token:
    """A new token. Raises 403, 409 and 422 problems."""
    return Token(
        token_id=token_id,
        kind=wanted.kind,
        name=wanted.name,
        role=_role(wanted, by),
        scopes=_scopes(wanted, by),
        user_id=_user(wanted, by),
        created_by=by.name,
        created_at=at,
        expires_at=None if wanted.expires_in_days is None else at + timedelta(days=wanted.expires_in_days),
    )


def check_revoke(token: Token, by: Caller) -> None:
    """Raises a 403 problem unless the token is the caller's own, or an administrator's to end."""
    if token.token_id == by.means_id or (token.user_id is not None and token.user_id == by.user_id):
        return
    by.require(Permission.TOKENS_SERVICE)
    if token.role > by.role:
        detail = f"This token has the role {token.role.label}; yours here is {by.role.label}."
        raise Problem(403, "forbidden", detail, required_role=token.role.label)


def made(token: Token) -> Change:
    """As the audit log tells it."""
    return Change("token.create", f"token:{token.token_id}", None, _told(token))


def revoked(token: Token) -> Change:
    """As the audit log tells it."""
    return Change("token.revoke", f"token:{token.token_id}", _told(token), None)


def _told(token: Token) -> Mapping[str, Any]:
    return {
        "kind": token.kind,
        "name": token.name,
        "role": token.role.label,
        "scopes": token.scopes,
        "user_id": None if token.user_id is None else str(token.user_id),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
    }


def _user(wanted: TokenToMake, by: Caller) -> UUID | None:
    if wanted.kind == "service":
        return None
    if by.user_id is None and wanted.kind == "personal":
        detail = "A personal token belongs to a person; this is a token of nobody. Make a service token."
        raise Problem(409, "not-a-person", detail)
    if by.user_id is None:
        by.require(Permission.TOKENS_SERVICE)
    return by.user_id


def _role(wanted: TokenToMake, by: Caller) -> Role:
    if wanted.kind == "feed":
        if wanted.role not in {None, "viewer"}:
            raise invalid("role", "a feed token only reads", "viewer, or no role")
        return Role.VIEWER
    highest = by.role if wanted.kind == "personal" else min(by.role, Role.ADMIN)
    default = by.role if wanted.kind == "personal" else Role.VIEWER
    role = default if wanted.role is None else Role.named(wanted.role)
    if role > highest:
        allowed = f"{highest.label} or below"
        raise invalid("role", f"a {wanted.kind} token of yours cannot have the role {role.label}", allowed)
    return role


def _scopes(wanted: TokenToMake, by: Caller) -> list[str] | None:
    if wanted.kind == "feed":
        if wanted.scopes not in (None, [Permission.FEED_READ]):
            raise invalid("scopes", "a feed token reads feeds and nothing else", "no scopes")
        return [Permission.FEED_READ.value]
    if by.scopes is None:
        return None if wanted.scopes is None else sorted(scope.value for scope in wanted.scopes)
    beyond = [scope.value for scope in wanted.scopes or Permission if scope not in by.scopes]
    if beyond:
        allowed = f"some of {', '.join(sorted(by.scopes))}: what your own token was made for"
        raise invalid("scopes", f"your own token lacks {', '.join(beyond)}", allowed)
    return sorted(scope.value for scope in wanted.scopes or ())
