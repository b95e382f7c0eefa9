"""The database roles: who may log in as what. None may bypass row-level security, none is a superuser.

`vigilo_migrator` owns every table and never runs a service. `vigilo_api`, `vigilo_projector` and `vigilo_notifier` log
in. `vigilo_relay` cannot log in: the relay connects as `vigilo_api` and takes this role for its connection, so that the
connections which serve requests can add to the outbox but never read it.

Roles belong to the whole cluster, so two databases may be set up at once: every statement tolerates a rival.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from psycopg import Connection, errors, sql

OWNER: Final = "vigilo_migrator"
API: Final = "vigilo_api"
PROJECTOR: Final = "vigilo_projector"
NOTIFIER: Final = "vigilo_notifier"
RELAY: Final = "vigilo_relay"
LOGINS: Final = (API, PROJECTOR, NOTIFIER)
ALL: Final = (OWNER, *LOGINS, RELAY)

_ATTEMPTS = 20


class UnfitRole(Exception):
    """A role of ours exists, but with rights that would void the isolation of workspaces."""


class CannotMakeRoles(Exception):
    """The connecting user may not make what is missing; the message says what to run as an administrator."""


def ensure_roles(connection: Connection, passwords: Mapping[str, str]) -> None:
    """All roles exist, those named in `passwords` have that password, and the caller may act as the owner.

    `connection` is in autocommit mode. Raises UnfitRole, CannotMakeRoles.
    """
    unknown = set(passwords) - set(LOGINS)
    if unknown:
        raise ValueError(f"no such login roles: {', '.join(sorted(unknown))}")
    try:
        for role in ALL:
            _ensure(connection, role)
        for role, password in passwords.items():
            _set_password(connection, role, password)
        _let_relay_be_taken(connection)
        _let_caller_own(connection)
    except errors.InsufficientPrivilege as error:
        raise CannotMakeRoles(
            f"{_caller(connection)} may not set up the roles {', '.join(ALL)}: {error.diag.message_primary}. "
            "Connect as a superuser, or as the database's owner with CREATEROLE."
        ) from error
    _refuse_unfit(connection)


def _ensure(connection: Connection, role: str) -> None:
    if connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
        return
    attributes = "login" if role in LOGINS else "nologin"
    _against_rivals(lambda: _create(connection, role, attributes))


def _create(connection: Connection, role: str, attributes: str) -> None:
    try:
        connection.execute(sql.SQL(f"create role {{}} {attributes}").format(sql.Identifier(role)))
    except (errors.DuplicateObject, errors.UniqueViolation):
        return


def _set_password(connection: Connection, role: str, password: str) -> None:
    # Hashed here, so that the password itself never reaches the server's log.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier))
    _against_rivals(lambda: connection.execute(statement))


def _let_relay_be_taken(connection: Connection) -> None:
    granted = connection.execute(
        "select 1 from pg_auth_members where roleid = %s::regrole and member = %s::regrole", (RELAY, API)
    ).fetchone()
    if not granted:
        # Not inherited: a connection has these rights only after SET ROLE.
        _against_rivals(lambda: connection.execute(f"grant {RELAY} to {API} with inherit false, set true"))


def _let_caller_own(connection: Connection) -> None:
    if _may_act_as_owner(connection):
        return
    _against_rivals(lambda: connection.execute(f"grant {OWNER} to current_user with inherit true, set true"))


def _may_act_as_owner(connection: Connection) -> bool:
    row = connection.execute("select pg_has_role(current_user, %s, 'SET')", (OWNER,)).fetchone()
    return bool(row and row[0])


def _refuse_unfit(connection: Connection) -> None:
    rows = connection.execute(
        "select rolname from pg_roles where rolname = any(%s) and (rolsuper or rolbypassrls) order by 1", (list(ALL),)
    ).fetchall()
    if rows:
        names = ", ".join(row[0] for row in rows)
        raise UnfitRole(f"{names}: must be neither superuser nor BYPASSRLS, or workspaces would see each other")


def _caller(connection: Connection) -> str:
    row = connection.execute("select current_user").fetchone()
    return str(row[0]) if row else "the connecting user"


def _against_rivals(attempt: Callable[[], object]) -> None:
    """Repeats what another session's change of the same role made fail ("tuple concurrently updated")."""
    for remaining in reversed(range(_ATTEMPTS)):
        try:
            attempt()
            return
        except (errors.InternalError_, errors.UniqueViolation, errors.DuplicateObject):
            if not remaining:
                raise
            time.sleep(0.05)
