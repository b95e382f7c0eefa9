"""Sessions of people who signed in: 256 random bits in a cookie, their SHA-256 here, and two ends, idle and absolute.

What a session's user may do is looked up at every request, so a changed role acts at once; a removed member or a
disabled user has nothing left. Source: OWASP ASVS 5.0 chapters 7.2 to 7.4.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.api.auth import Caller, Means
from services.api.permissions import Role
from services.api.web.cookies import is_secret, new_secret
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id


@dataclass(frozen=True, slots=True)
class Session:
    """A live session and its user. `has_password` is False for users of an issuer."""

    session_id: UUID
    user_id: UUID
    email: str | None
    name: str
    has_password: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace the user is a member of now."""

    workspace_id: UUID
    slug: str
    name: str
    role: Role
    source: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One of a user's live sessions, as its user sees it."""

    session_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


def secret_sha256(secret: str) -> bytes:
    """What is kept of a session's or a link's secret."""
    return hashlib.sha256(secret.encode()).digest()


async def open_session(connection: Connection, user_id: UUID, *, at: datetime, lifetime: timedelta) -> str:
    """A new session; returns the secret for its cookie."""
    secret = new_secret()
    await connection.execute(
        "select config.open_session(%s, %s, %s, %s, %s)", (new_id(), secret_sha256(secret), user_id, at, at + lifetime)
    )
    return secret


async def forget_old(connection: Connection, user_id: UUID, *, at: datetime) -> None:
    """The user's sessions that ended a month ago, and links long past, are no longer kept."""
    await connection.execute("select config.forget_old_sign_ins_of(%s, %s)", (user_id, at))


async def live_session(connection: Connection, secret: str | None, *, idle: timedelta) -> Session | None:
    """The session of this cookie; None for an unknown, ended, expired or idle one, or a disabled user's."""
    if secret is None or not is_secret(secret):
        return None
    digest = secret_sha256(secret)
    row = await (await connection.execute("select * from config.live_session(%s, %s)", (digest, idle))).fetchone()
    if row is None or not hmac.compare_digest(digest, bytes(row["sha256"])):
        return None
    return Session(row["session_id"], row["user_id"], row["email"], row["name"], row["has_password"], row["created_at"])


async def end_session(connection: Connection, secret: str, *, at: datetime) -> None:
    """The session of this cookie is over, if there is one."""
    await connection.execute("select config.end_session(%s, %s)", (secret_sha256(secret), at))


async def end_session_of(connection: Connection, user_id: UUID, session_id: UUID, *, at: datetime) -> bool:
    """Ends one session of this user; False if it is not one of his, or over already."""
    found = await connection.execute("select config.end_session_of(%s, %s, %s) as yes", (user_id, session_id, at))
    row = await found.fetchone()
    return bool(row and row["yes"])


async def sessions_of(connection: Connection, user_id: UUID, *, idle: timedelta) -> Sequence[Opened]:
    """The user's live sessions, last used first."""
    found = await connection.execute("select * from config.live_sessions_of(%s, %s)", (user_id, idle))
    return [
        Opened(row["session_id"], row["created_at"], row["last_seen_at"], row["expires_at"])
        for row in await found.fetchall()
    ]


async def places_of(connection: Connection, user_id: UUID) -> Sequence[Place]:
    """Where the user is a member now, by short name."""
    found = await connection.execute("select * from config.memberships_of(%s)", (user_id,))
    return [
        Place(row["workspace_id"], row["slug"], row["name"], Role[row["role"].upper()], row["source"])
        for row in await found.fetchall()
    ]


async def session_caller(
    connection: Connection, session: Session, workspace: str, *, origin: str | None = None
) -> Caller | None:
    """What the session's user is in that workspace (id or short name) at this moment; None where he is no member."""
    for place in await places_of(connection, session.user_id):
        if workspace.lower() in {place.slug, str(place.workspace_id)}:
            return _caller(session, place, origin)
    return None


def _caller(session: Session, place: Place, origin: str | None) -> Caller:
    return Caller(
        workspace_id=place.workspace_id,
        slug=place.slug,
        role=place.role,
        means=Means.SESSION,
        means_id=session.session_id,
        user_id=session.user_id,
        origin=origin,
    )
