"""Break-glass: whoever holds the database lets a person in again, without mail and without an issuer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.audit.change import Change
from services.api.audit.writing import SYSTEM, record
from services.api.database_roles import API, OWNER
from services.api.signin import accounts, links
from services.api.signin.telling import tell
from vigilo.adapters.postgres import Connection, connect, tenant


class NoSuchAccount(Exception):
    """No local account with that address, or no such workspace; the message says which."""


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as the operator sees him. `signs_in_with`: password, link (none set yet) or the issuer's name."""

    email: str
    name: str
    signs_in_with: str
    disabled: bool
    places: tuple[str, ...]


async def reset(database_url: str, email: str, *, owner_of: str | None, public_url: str, at: datetime) -> str:
    """A one-time link; the password is gone, every session has ended, every older link is void.

    With `owner_of` (a workspace's short name) the account is made if it is not there, and owns that workspace.
    `database_url` may be vigilo_api's or a superuser's. Raises NoSuchAccount, psycopg.Error.
    """
    async with await connect(database_url, name="vigilo-user-reset", role=API) as connection, connection.transaction():
        user_id = await _account(connection, email, may_make=owner_of is not None, at=at)
        if owner_of is not None:
            await _make_owner(connection, user_id, owner_of, at=at)
        await links.void_links_of(connection, user_id, at=at)
        await accounts.set_password(connection, user_id, None, at=at)
        await tell(connection, user_id, "user.reset", origin=None, at=at, actor=SYSTEM)
        return await links.new_link(connection, user_id, public_url=public_url, at=at)


async def list_users(database_url: str) -> Sequence[ListedUser]:
    """Every user, by address. `database_url` is the tables' owner's or a superuser's. Raises psycopg.Error."""
    async with await connect(database_url, name="vigilo-user-list", role=OWNER) as connection:
        found = await connection.execute(
            "select coalesce(u.email, '') as email, u.name, u.disabled_at is not null as disabled, "
            "case when u.oidc_issuer is not null then u.oidc_issuer "
            "when u.password_hash is null then 'link' else 'password' end as signs_in_with, "
            "array(select w.slug || ':' || m.role from config.memberships m "
            "join config.workspaces w on w.workspace_id = m.workspace_id "
            "where m.user_id = u.user_id order by 1) as places "
            "from config.users u order by u.email nulls last, u.name"
        )
        return [
            ListedUser(row["email"], row["name"], row["signs_in_with"], row["disabled"], tuple(row["places"]))
            for row in await found.fetchall()
        ]


async def _account(connection: Connection, email: str, *, may_make: bool, at: datetime) -> UUID:
    account = await accounts.local_account(connection, email)
    if account is not None and account.disabled:
        raise NoSuchAccount(f"{email} is disabled: an administrator must enable it first")
    if account is not None:
        return account.user_id
    made = (
        await accounts.add_local_account(
            connection, email=email, name=email.partition("@")[0], password_hash=None, at=at
        )
        if may_make
        else None
    )
    if made is None:
        raise NoSuchAccount(f"no local account has the address {email}; `vigilo user list` shows all")
    return made


async def _make_owner(connection: Connection, user_id: UUID, slug: str, *, at: datetime) -> None:
    row = await (await connection.execute("select config.workspace_by_slug(%s) as id", (slug,))).fetchone()
    if row is None or row["id"] is None:
        raise NoSuchAccount(f"there is no workspace {slug}")
    async with tenant(connection, row["id"]):
        await connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, 'owner', 'local', %s, %s) on conflict (workspace_id, user_id) "
            "do update set role = 'owner', source = 'local', updated_at = excluded.updated_at",
            (row["id"], user_id, at, at),
        )
        told = Change("member.add", f"user:{user_id}", None, {"role": "owner", "source": "local"})
        await record(connection, row["id"], (told,), actor=SYSTEM, origin=None, at=at)
