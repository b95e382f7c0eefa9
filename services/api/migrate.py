"""Brings the database to the version of this code: roles, schemas, tables, policies.

`python -m services.api.migrate`, with VIGILO_DATABASE_URL of a superuser or of the database's owner with CREATEROLE.
Safe to run again and by several at once. PostgreSQL 16 or later.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from pydantic import Field, SecretStr
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, topological_sort

from services.api.database_roles import (
    API,
    LOGINS,
    NOTIFIER,
    OWNER,
    PROJECTOR,
    CannotMakeRoles,
    UnfitRole,
    ensure_roles,
)
from vigilo.adapters.locks import AdvisoryLock
from vigilo.adapters.settings import BadSettings, EnvironmentSettings, read

MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Where yoyo notes what it applied; not in `public`, where nobody may create tables any more.
HISTORY_SCHEMA: Final = "migrations"
MINIMUM_SERVER = 160000
_LOCK_WAIT = "120s"


class ServerTooOld(Exception):
    """The server is older than PostgreSQL 16."""


class MigrateSettings(EnvironmentSettings):
    """What the migration needs."""

    database_url: SecretStr = Field(description="A superuser, or the database's owner with CREATEROLE")
    api_password: SecretStr | None = Field(None, description=f"Password of {API}; unset: left as it is")
    projector_password: SecretStr | None = Field(None, description=f"Password of {PROJECTOR}")
    notifier_password: SecretStr | None = Field(None, description=f"Password of {NOTIFIER}")

    def role_passwords(self) -> dict[str, str]:
        """Passwords by role, without those that are unset."""
        given = zip(LOGINS, (self.api_password, self.projector_password, self.notifier_password), strict=True)
        return {role: password.get_secret_value() for role, password in given if password is not None}


def migrate(admin_url: str, role_passwords: Mapping[str, str]) -> list[str]:
    """The database is up to date; returns the ids of the migrations applied by this call, in order.

    Each migration and the note that it was applied are one transaction. Raises ServerTooOld, UnfitRole,
    CannotMakeRoles, psycopg.Error.
    """
    with psycopg.connect(admin_url, autocommit=True, application_name="vigilo-migrate") as connection:
        if connection.info.server_version < MINIMUM_SERVER:
            raise ServerTooOld(f"PostgreSQL {connection.info.server_version // 10000} is too old: 16 or later")
        with _alone(connection):
            ensure_roles(connection, role_passwords)
            _become_owner(connection)
            return _apply(connection)


def known_migrations() -> list[str]:
    """Ids of the migrations of this code, in order."""
    return [migration.id for migration in topological_sort(read_migrations(str(MIGRATIONS)))]


def pending(connection: Connection) -> list[str]:
    """Ids of migrations this code has and the database has not. Needs to see the history schema."""
    known = known_migrations()
    try:
        rows = connection.execute(f"select migration_id from {HISTORY_SCHEMA}._yoyo_migration").fetchall()
    except psycopg.errors.UndefinedTable:
        return known
    applied = {row[0] for row in rows}
    return [name for name in known if name not in applied]


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    # Held by the session: a killed process leaves nothing behind, unlike a row in a lock table.
    connection.execute(sql.SQL("set lock_timeout = {}").format(sql.Literal(_LOCK_WAIT)))
    connection.execute("select pg_advisory_lock(%s)", (AdvisoryLock.MIGRATION,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("reset role")
            connection.execute("select pg_advisory_unlock(%s)", (AdvisoryLock.MIGRATION,))


def _become_owner(connection: Connection) -> None:
    _grant_on_database(connection, OWNER, "create")
    for role in LOGINS:
        _grant_on_database(connection, role, "connect")
    connection.execute(f"set role {OWNER}")
    connection.execute(f"create schema if not exists {HISTORY_SCHEMA}")
    connection.execute(f"grant usage on schema {HISTORY_SCHEMA} to {API}")
    connection.execute(f"alter default privileges in schema {HISTORY_SCHEMA} grant select on tables to {API}")
    connection.execute(f"set search_path to {HISTORY_SCHEMA}")


def _grant_on_database(connection: Connection, role: str, privilege: LiteralString) -> None:
    # Asked first: an administrator may have prepared a database that the caller does not own.
    held = connection.execute("select has_database_privilege(%s, current_database(), %s)", (role, privilege)).fetchone()
    if held and held[0]:
        return
    statement = sql.SQL("grant " + privilege + " on database {} to {}")
    connection.execute(statement.format(sql.Identifier(connection.info.dbname), sql.Identifier(role)))


def _apply(connection: Connection) -> list[str]:
    backend = _OneConnection(connection)
    todo = list(backend.to_apply(read_migrations(str(MIGRATIONS))))
    for migration in todo:
        backend.apply_one(migration)
    return [migration.id for migration in todo]


class _OneConnection(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo on one connection that is already open and already alone.

    Yoyo's own way opens a second connection per migration and notes the migration afterwards: a crash in between
    leaves a database that can be brought neither forward nor back.
    """

    def __init__(self, connection: Connection) -> None:
        self._ours = connection
        uri = DatabaseURI("postgresql+psycopg", None, None, None, None, connection.info.dbname, {})
        super().__init__(uri, "_yoyo_migration")

    def connect(self, dburi: DatabaseURI) -> Connection:
        return self._ours

    @contextmanager
    def lock(self, timeout: float = 10) -> Iterator[None]:
        yield

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        self.ensure_internal_schema_updated()
        with self.transaction():
            migration.process_steps(self, "apply", force=force)
            self.execute(f"set local search_path to {HISTORY_SCHEMA}")
            self.log_migration(migration, "apply")
            self.mark_one(migration, log=False)

    def get_log_data(self, migration: Migration | None = None, operation: str = "apply") -> dict[str, Any]:
        # Yoyo asks DNS for this machine's name here, and fails for a user without an entry in the password file.
        return {
            "id": str(uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": _user(),
            "hostname": "",
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def main() -> int:
    """Entry point: prints what was applied. 0 when the database is up to date."""
    try:
        settings = read(MigrateSettings)
        applied = migrate(settings.database_url.get_secret_value(), settings.role_passwords())
    except (BadSettings, ServerTooOld, UnfitRole, CannotMakeRoles, psycopg.Error) as error:
        print(f"vigilo migrate: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"applied {name}" for name in applied) or "the database is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
