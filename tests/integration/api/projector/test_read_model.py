"""The read model's tables: as the code describes them, as the roles may use them, and what expires."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from services.api.migrate import migrate
from services.api.projector.store import Store
from services.api.projector.tables import TABLES
from tests.fakes.api_client import acting_as
from tests.fakes.observations import START, WORKSPACES, Observations, in_partitions
from tests.fakes.read_model import dumped, replayed, table_names

pytestmark = pytest.mark.postgres

PARTITIONS = 3


@pytest.fixture(scope="module")
def migrated(module_database: str) -> str:
    migrate(module_database, {})
    return module_database


async def filled(url: str, events: int) -> None:
    await replayed(
        url, in_partitions(Observations(5).draw(events), partitions=PARTITIONS), partitions=PARTITIONS, size=100
    )


def test_tables_have_the_columns_the_code_says(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        for table in TABLES:
            found = connection.execute(
                "select attname, format_type(atttypid, null) from pg_attribute "
                "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                (f"read_model.{table.name}",),
            ).fetchall()
            shown = {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in found}
            assert shown == dict(table.columns), table.name
            key = connection.execute(
                "select array_agg(attname order by attname) from pg_index i join pg_attribute a "
                "on a.attrelid = i.indrelid and a.attnum = any(i.indkey) "
                "where i.indrelid = %s::regclass and i.indisprimary",
                (f"read_model.{table.name}",),
            ).fetchone()
            assert key is not None and key[0] == sorted(table.key), table.name


def test_nothing_in_it_depends_on_time_order_or_other_tables(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        defaults = connection.execute(
            "select count(*) from pg_attrdef d join pg_class c on c.oid = d.adrelid "
            "where c.relnamespace = 'read_model'::regnamespace"
        ).fetchone()
        others = connection.execute(
            "select count(*) from pg_constraint where connamespace = 'read_model'::regnamespace and contype = 'f'"
        ).fetchone()
        sequences = connection.execute(
            "select count(*) from pg_class where relnamespace = 'read_model'::regnamespace and relkind = 'S'"
        ).fetchone()
    assert defaults == others == sequences == (0,)


@pytest.mark.parametrize("table", ["snapshots", "scans", "alert_transitions", "certificate_changes", "certificates"])
@pytest.mark.parametrize("statement", ["update read_model.{} set {} = {}", "delete from read_model.{}"])
def test_the_projector_cannot_change_what_is_immutable(migrated: str, table: str, statement: str) -> None:
    column = "sha256" if table == "certificates" else "scan_id" if table != "alert_transitions" else "alert_id"
    with (
        psycopg.connect(acting_as(migrated, "vigilo_projector")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.format(table, column, column).encode())


@pytest.mark.parametrize("role", ["vigilo_api", "vigilo_notifier"])
def test_others_cannot_write(migrated: str, role: str) -> None:
    with psycopg.connect(acting_as(migrated, role), autocommit=True) as connection:
        for name in table_names(connection):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"delete from read_model.{name}".encode())


def test_the_projector_sees_no_configuration(migrated: str) -> None:
    with (
        psycopg.connect(acting_as(migrated, "vigilo_projector")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("select * from config.hosts")


async def test_without_a_workspace_the_api_sees_no_row_and_with_one_only_its_own(database: str) -> None:
    migrate(database, {})
    await filled(database, 800)
    with psycopg.connect(acting_as(database, "vigilo_api")) as connection:
        names = [name for name in table_names(connection) if name not in {"host_workspaces", "projector_offsets"}]
        for name in names:
            assert connection.execute(f"select count(*) from read_model.{name}".encode()).fetchone() == (0,), name
        connection.execute("select set_config('vigilo.workspace', %s, true)", (str(WORKSPACES[0]),))
        for name in names:
            if name == "certificates":
                seen = connection.execute(
                    "select count(*), count(w.sha256) from read_model.certificates c "
                    "left join read_model.workspace_certificates w on w.sha256 = c.sha256"
                ).fetchone()
                assert seen is not None and 0 < seen[0] == seen[1]
            else:
                rows = connection.execute(f"select distinct workspace_id from read_model.{name}".encode()).fetchall()
                assert rows == [(WORKSPACES[0],)], name
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from read_model.snapshots_default")


async def test_what_is_older_than_the_cutoff_expires_but_no_alert_does(database: str) -> None:
    migrate(database, {})
    await filled(database, 800)
    with psycopg.connect(database, autocommit=True) as connection:
        before = dumped(connection)
        store = Store(database, role="vigilo_projector")
        store.drop_expired(START)
        assert dumped(connection) == before
        # The fakes' scans lie in two months; the first of them is over.
        store.drop_expired(START.replace(day=1) + timedelta(days=31))
        less = dumped(connection)
        store.drop_expired(START + timedelta(days=400))
        store.close()
        after = dumped(connection)
    assert 0 < len(less["snapshots"]) < len(before["snapshots"])
    assert {name for name, rows in after.items() if rows == before[name]} >= {
        "alerts",
        "alert_transitions",
        "work_items",
    }
    assert {name for name, rows in after.items() if not rows} == {
        "card_runs",
        "certificate_changes",
        "certificates",
        "deliveries",
        "host_chains",
        "host_grades",
        "host_latest",
        "host_report_cards",
        "report_cards",
        "scans",
        "snapshots",
        "workspace_certificates",
    }
