"""One-time sign-in links: 256 random bits, ten minutes, one use. Looking at one does not use it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.sessions import secret_sha256
from services.api.web.cookies import is_secret, new_secret
from vigilo.adapters.postgres import Connection

LIFETIME: Final = timedelta(minutes=10)
PATH: Final = "/sign-in/link/"


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whom an open link is for."""

    user_id: UUID
    email: str | None
    name: str
    has_password: bool


async def new_link(connection: Connection, user_id: UUID, *, public_url: str, at: datetime) -> str:
    """A new link for this user; those before it still work until their time is over."""
    secret = new_secret()
    await connection.execute(
        "select config.add_sign_in_link(%s, %s, %s)", (secret_sha256(secret), user_id, at + LIFETIME)
    )
    return f"{public_url.rstrip('/')}{PATH}{secret}"


async def holder_of(connection: Connection, secret: str) -> LinkHolder | None:
    """Whom the link is for; None for one that is unknown, used or too old. Does not use it."""
    if not is_secret(secret):
        return None
    found = await connection.execute("select * from config.sign_in_link_for(%s)", (secret_sha256(secret),))
    row = await found.fetchone()
    return None if row is None else LinkHolder(row["user_id"], row["email"], row["name"], row["has_password"])


async def use_link(connection: Connection, secret: str, *, at: datetime) -> UUID | None:
    """Uses the link up, and with it every other open link of its user; None if it no longer works."""
    found = await connection.execute("select config.use_sign_in_link(%s, %s) as id", (secret_sha256(secret), at))
    row = await found.fetchone()
    if row is None or row["id"] is None:
        return None
    await void_links_of(connection, row["id"], at=at)
    return UUID(str(row["id"]))


async def void_links_of(connection: Connection, user_id: UUID, *, at: datetime) -> None:
    """No open link of this user works any more."""
    await connection.execute("select config.void_sign_in_links_of(%s, %s)", (user_id, at))
