"""The database as `python -m services.api.migrate` leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from services.api.database_roles import ALL, API, LOGINS, UnfitRole
from services.api.migrate import migrate, pending
from services.api.tenancy import WITHOUT_WORKSPACE

pytestmark = pytest.mark.postgres

OUR_TABLES = """
    select n.nspname || '.' || c.relname as name, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id'
                and not a.attisdropped) as has_workspace,
        exists (select from pg_policy p where p.polrelid = c.oid) as has_policy
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg\\_%'
"""


@pytest.fixture(scope="module")
def migrated(module_database: str) -> str:
    migrate(module_database, {})
    return module_database


@pytest.fixture
def admin(migrated: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(migrated, autocommit=True) as connection:
        yield connection


def test_every_table_of_a_workspace_is_isolated_and_the_others_are_on_the_written_list(
    admin: psycopg.Connection,
) -> None:
    tables = admin.execute(OUR_TABLES).fetchall()
    assert len(tables) > 8
    for name, enabled, forced, is_partition, has_workspace, has_policy in tables:
        if has_workspace:
            assert enabled and forced, f"{name} has workspace_id but row-level security is not enabled and forced"
            assert has_policy or is_partition, f"{name} has no policy"
        else:
            assert name in WITHOUT_WORKSPACE, f"{name} has no workspace_id and is not on the list"


def test_no_role_of_ours_may_bypass_row_level_security(admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = any(%s)",
        (list(ALL),),
    ).fetchall()
    assert {row[0] for row in rows} == set(ALL)
    assert not [row for row in rows if any(row[1:])]


def test_roles_that_log_in_own_nothing(admin: psycopg.Connection) -> None:
    owned = admin.execute(
        "select relname from pg_class where pg_get_userbyid(relowner) = any(%s) union all "
        "select proname from pg_proc where pg_get_userbyid(proowner) = any(%s) union all "
        "select nspname from pg_namespace where pg_get_userbyid(nspowner) = any(%s)",
        (list(LOGINS),) * 3,
    ).fetchall()
    assert owned == []


def test_functions_that_run_as_the_owner_cannot_be_called_by_everybody(admin: psycopg.Connection) -> None:
    callable_by_all = admin.execute(
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
        "where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') "
        "and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0) "
        "     or not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp'])"
    ).fetchall()
    assert callable_by_all == []


def test_nothing_happens_the_second_time(migrated: str) -> None:
    assert migrate(migrated, {}) == []
    with psycopg.connect(make_conninfo(migrated), autocommit=True) as connection:
        assert pending(connection) == []


def test_an_untouched_database_lacks_every_migration(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        assert pending(connection)[0] == "0001_roles_and_config"


def test_four_at_once_apply_each_migration_once(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = [name for names in pool.map(lambda _: migrate(database, {}), range(4)) for name in names]
    assert applied and len(applied) == len(set(applied))


@pytest.fixture
def mere_owner(database: str) -> Iterator[str]:
    """URL of a database owner without superuser rights who may create roles, as CREATE ROLE leaves him (PG 16)."""
    name, password = f"owner_{uuid4().hex[:12]}", uuid4().hex
    role = sql.Identifier(name)
    with psycopg.connect(database, autocommit=True) as connection:
        migrate_roles_only(database)
        connection.execute(sql.SQL("create role {} login createrole password {}").format(role, sql.Literal(password)))
        for ours in ALL:
            connection.execute(
                sql.SQL("grant {} to {} with admin true, inherit false, set false").format(sql.Identifier(ours), role)
            )
        dbname = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("alter database {} owner to {}").format(dbname, role))
        yield make_conninfo(database, user=name, password=password)
        connection.execute(sql.SQL("alter database {} owner to current_user").format(dbname))
        connection.execute(sql.SQL("drop owned by {}").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))


def migrate_roles_only(url: str) -> None:
    from services.api.database_roles import ensure_roles

    with psycopg.connect(url, autocommit=True) as connection:
        ensure_roles(connection, {})


def test_an_owner_who_may_create_roles_suffices(mere_owner: str) -> None:
    assert "0001_roles_and_config" in migrate(mere_owner, {})
    assert migrate(mere_owner, {}) == []


def test_a_password_is_set_and_works(database: str) -> None:
    # Roles belong to the cluster: only the verifier is looked at, other tests log in with what they know.
    with psycopg.connect(database, autocommit=True) as connection:
        before = connection.execute("select rolpassword from pg_authid where rolname = %s", (API,)).fetchone()
        try:
            migrate(database, {API: "correct horse"})
            after = connection.execute("select rolpassword from pg_authid where rolname = %s", (API,)).fetchone()
        finally:
            if before and before[0]:
                connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(API), before[0]))
    assert after is not None and after[0].startswith("SCRAM-SHA-256$")
    assert before is None or before[0] != after[0]


def test_a_role_that_may_bypass_isolation_is_refused(database: str) -> None:
    from services.api import database_roles

    with psycopg.connect(database, autocommit=True) as connection:
        migrate_roles_only(database)
        with connection.transaction(force_rollback=True):
            connection.execute("alter role vigilo_projector bypassrls")
            with pytest.raises(UnfitRole, match="vigilo_projector"):
                database_roles.ensure_roles(connection, {})
