"""Users, by the doors of migrations 0004 and 0006: vigilo_api reads no password hash but by an exact address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """An account that signs in with its address and a password, once it has one."""

    user_id: UUID
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    disabled: bool


class Disabled(Exception):
    """This user may not sign in."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"user:{user_id}")
        self.user_id = user_id


async def local_account(connection: Connection, email: str) -> LocalAccount | None:
    """The local account with this address, in any case of its letters."""
    row = await (await connection.execute("select * from config.user_by_email(%s)", (email,))).fetchone()
    if row is None:
        return None
    disabled = row["disabled_at"] is not None
    return LocalAccount(row["user_id"], row["email"], row["name"], row["password_hash"], disabled)


async def add_local_account(
    connection: Connection, *, email: str, name: str, password_hash: str | None, at: datetime
) -> UUID | None:
    """The new account's id; None if the address has an account already."""
    return await _add(connection, email, name, password_hash, None, None, at)


async def account_of_subject(
    connection: Connection, *, issuer: str, subject: str, email: str | None, name: str, at: datetime
) -> UUID:
    """The account of (issuer, subject), made if it is new, its name and address as the issuer tells them now.

    The address only describes: no account is ever found by it. Raises Disabled.
    """
    row = await _by_subject(connection, issuer, subject)
    if row is None:
        await _add(connection, email, name, None, issuer, subject, at)
        row = await _by_subject(connection, issuer, subject)
    assert row is not None  # or it could have been made
    if row["disabled_at"] is not None:
        raise Disabled(row["user_id"])
    await connection.execute("select config.describe_user(%s, %s, %s, %s)", (row["user_id"], email, name, at))
    return UUID(str(row["user_id"]))


async def describe(connection: Connection, user_id: UUID, *, email: str | None, name: str, at: datetime) -> None:
    """The user's address and name. Raises psycopg.errors.UniqueViolation for an address that has an account."""
    await connection.execute("select config.describe_user(%s, %s, %s, %s)", (user_id, email, name, at))


async def set_password(connection: Connection, user_id: UUID, password_hash: str | None, *, at: datetime) -> bool:
    """The user's password; ends all his sessions. False for a user of an issuer, who has none."""
    found = await connection.execute("select config.set_password(%s, %s, %s) as yes", (user_id, password_hash, at))
    row = await found.fetchone()
    return bool(row and row["yes"])


async def hold_password(connection: Connection, account: LocalAccount, *, fresh_hash: str | None) -> bool:
    """True if the account still has this password and may sign in, and until the transaction ends no reset passes.

    With `fresh_hash` the same password is kept with today's parameters.
    """
    found = await connection.execute(
        "select config.hold_password(%s, %s, %s) as yes", (account.user_id, account.password_hash, fresh_hash)
    )
    row = await found.fetchone()
    return bool(row and row["yes"])


async def _by_subject(connection: Connection, issuer: str, subject: str) -> dict[str, Any] | None:
    found = await connection.execute("select * from config.user_by_subject(%s, %s)", (issuer, subject))
    return await found.fetchone()


async def _add(
    connection: Connection,
    email: str | None,
    name: str,
    password_hash: str | None,
    issuer: str | None,
    subject: str | None,
    at: datetime,
) -> UUID | None:
    user_id = new_id()
    found = await connection.execute(
        "select config.add_user(%s, %s, %s, %s, %s, %s, %s) as yes",
        (user_id, email, name, password_hash, issuer, subject, at),
    )
    row = await found.fetchone()
    return user_id if row and row["yes"] else None
