"""`vigilo audit verify` on real PostgreSQL and Kafka: what is done to a chain by one who may do anything is found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Json
from typer.testing import CliRunner, Result

from services.api.audit.chain import START, Link, entry_hash, link_of, next_entry
from services.api.audit.change import Change
from services.api.audit.writing import record
from services.api.bootstrap import ensure_workspace
from services.api.relay import end, relay_for
from tests.fakes.api_server import migrated
from tests.fakes.relay_lab import RelayLab, make_lab, make_topics
from vigilo.adapters.postgres import connect, tenant
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.records import AuditEntry
from vigilo_cli.main import app

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

COUNT = 6
OF_LAB = "workspace_id = '{lab}'"


@pytest.fixture
def lab(database: str, kafka: KafkaSettings) -> RelayLab:
    """Two workspaces with six entries each, all of them on the topic."""
    make_topics(kafka)
    return asyncio.run(_furnished(database, kafka))


async def _furnished(database: str, kafka: KafkaSettings) -> RelayLab:
    lab = await make_lab(database, await asyncio.to_thread(migrated, database), kafka)
    async with await lab.connection() as connection:
        other = await ensure_workspace(connection, "other", "Other", at=datetime.now(UTC))
    for workspace in (lab.workspace_id, other):
        await write(lab, workspace, COUNT - await _count(lab, workspace))
    relay = asyncio.create_task(relay_for(lab.api_url, kafka).run())
    try:
        await lab.drained()
    finally:
        await end(relay)
    return lab


async def _count(lab: RelayLab, workspace: UUID) -> int:
    found = await asyncio.to_thread(
        lab.sql, "select count(*) as n from config.audit_entries where workspace_id = %s", workspace
    )
    return int(found[0]["n"])


async def write(lab: RelayLab, workspace: UUID, count: int) -> None:
    """So many more entries, as the API writes them."""
    async with await connect(lab.api_url, name="tests") as connection:
        for n in range(count):
            async with tenant(connection, workspace):
                changes = [Change("host.edit", f"host:{n}", {"share": 0.1, "sni": None}, {"notes": "ä\U0001f600"})]
                await record(connection, workspace, changes, actor="user:1", origin="192.0.2.1", at=datetime.now(UTC))


def verify(lab: RelayLab, *options: str) -> Result:
    environment = {
        "VIGILO_DATABASE_URL": lab.api_url,
        "VIGILO_KAFKA_BOOTSTRAP": lab.kafka.bootstrap,
        "VIGILO_KAFKA_TOPIC_PREFIX": lab.kafka.topic_prefix,
    }
    return CliRunner().invoke(app, ["audit", "verify", *options], env=environment)


@contextmanager
def tampered(lab: RelayLab, *statements: str) -> Iterator[None]:
    """The tables after what a superuser did, and as they were afterwards."""
    tables = ("audit_entries", "audit_heads")
    for table in tables:
        lab.sql(f"create table public.kept_{table} as table config.{table}")
    try:
        for statement in statements:
            lab.sql(statement.replace("{lab}", str(lab.workspace_id)))
        yield
    finally:
        lab.sql("alter table config.audit_entries disable trigger user")
        for table in tables:
            lab.sql(f"truncate config.{table}")
            lab.sql(f"insert into config.{table} table public.kept_{table}")
            lab.sql(f"drop table public.kept_{table}")
        lab.sql("alter table config.audit_entries enable trigger user")


def found(lab: RelayLab, *options: str) -> list[str]:
    """Which entries have which flaw; the exit code fits."""
    result = verify(lab, *options)
    flaws = [line.strip().rsplit(": ", 1)[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert result.exit_code == (1 if flaws else 0), result.output
    return flaws


ROW_TAMPERING = [
    ("update config.audit_entries set actor = 'user:2' where sequence = 3 and " + OF_LAB, ["entry 3: altered"]),
    ("update config.audit_entries set after = '{}' where sequence = 3 and " + OF_LAB, ["entry 3: altered"]),
    ("update config.audit_entries set before = '[1]' where sequence = 3 and " + OF_LAB, ["entry 3: altered"]),
    (
        "update config.audit_entries set at = at - interval '1 us' where sequence = 6 and " + OF_LAB,
        ["entry 6: altered"],
    ),
    ("delete from config.audit_entries where sequence = 3 and " + OF_LAB, ["entry 3: missing"]),
    ("delete from config.audit_entries where sequence = 1 and " + OF_LAB, ["entry 1: missing"]),
    ("delete from config.audit_entries where sequence = 6 and " + OF_LAB, ["entry 6: missing"]),
    ("delete from config.audit_entries where " + OF_LAB, ["entry 1: missing"]),
    ("delete from config.audit_heads where " + OF_LAB, ["entry 6: wrong-head"]),
    ("update config.audit_entries set sequence = 9 where sequence = 6 and " + OF_LAB, ["entry 6: missing"]),
]


def test_every_tampering_with_rows_is_found_by_the_table_itself(lab: RelayLab) -> None:
    assert found(lab) == []
    for statement, flaws in ROW_TAMPERING:
        with tampered(lab, statement):
            told = found(lab)
            assert set(flaws) <= set(told), statement
            assert not verify(lab, "--workspace", "other").exit_code
    assert found(lab) == []


def test_an_altered_row_with_a_fitting_hash_is_found_at_the_next_link(lab: RelayLab) -> None:
    (row,) = lab.sql("select * from config.audit_entries where sequence = 3 and workspace_id = %s", lab.workspace_id)
    forged = AuditEntry.model_validate({**row, "actor": "user:2"})
    statement = (
        f"update config.audit_entries set actor = 'user:2', hash = '{entry_hash(forged)}' where sequence = 3 and "
    )
    with tampered(lab, statement + OF_LAB):
        assert found(lab) == ["entry 4: unlinked"]
        assert found(lab, "--against-topic") == ["entry 4: unlinked", "entry 3: differs-from-topic"]


def test_a_table_chained_again_is_found_by_the_topic(lab: RelayLab) -> None:
    assert found(lab, "--against-topic") == []
    with tampered(lab):
        chain_again(lab, actor="user:2")
        assert found(lab) == []
        everywhere = [f"entry {n}: differs-from-topic" for n in range(1, COUNT + 1)]
        assert found(lab, "--against-topic", "--workspace", "lab") == everywhere


def test_a_chain_cut_short_or_removed_with_its_head_is_found_by_the_topic(lab: RelayLab) -> None:
    cut = (
        "delete from config.audit_entries where sequence > 4 and " + OF_LAB,
        "update config.audit_heads h set sequence = 4, hash = e.hash from config.audit_entries e "
        "where e.workspace_id = h.workspace_id and e.sequence = 4 and h." + OF_LAB,
    )
    with tampered(lab, *cut):
        assert found(lab) == []
        assert found(lab, "--against-topic") == ["entry 5: missing", "entry 6: missing"]
    gone = [f"delete from config.{table} where " + OF_LAB for table in ("audit_entries", "audit_heads")]
    with tampered(lab, *gone):
        assert found(lab) == []
        assert len(found(lab, "--against-topic")) == COUNT


def test_what_the_relay_has_not_published_yet_is_no_flaw(lab: RelayLab) -> None:
    asyncio.run(write(lab, lab.workspace_id, 2))
    result = verify(lab, "--against-topic", "--workspace", str(lab.workspace_id))
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    assert f"{COUNT + 2} entries, whole; head {COUNT + 2} " in result.stdout
    assert f"{COUNT} as on the topic, 2 not there yet" in result.stdout


def test_what_cannot_be_checked_is_not_called_whole(lab: RelayLab) -> None:
    for options in (["--workspace", "nowhere"], ["--workspace", str(UUID(int=0))]):
        result = verify(lab, *options)
        assert (result.exit_code, "there is no workspace" in result.stderr) == (2, True), result.output
    lab.kafka = lab.kafka.model_copy(update={"topic_prefix": "t-not-there-"})
    result = verify(lab, "--against-topic")
    assert (result.exit_code, "there is no topic" in result.stderr) == (2, True), result.output


def chain_again(lab: RelayLab, *, actor: str) -> None:
    """Rewrites the whole chain of workspace lab, soundly, head and all."""
    last: Link = START
    with psycopg.connect(lab.admin_url, row_factory=dict_row) as connection:
        query = "select * from config.audit_entries where workspace_id = %s order by sequence"
        for row in connection.execute(query, (lab.workspace_id,)).fetchall():
            change = Change(row["action"], row["subject"], row["before"], row["after"])
            entry = next_entry(
                last, change, workspace_id=lab.workspace_id, actor=actor, origin=row["origin"], at=row["at"]
            )
            connection.execute(
                "update config.audit_entries set actor = %s, before = %s, previous_hash = %s, hash = %s "
                "where workspace_id = %s and sequence = %s",
                (
                    *(actor, None if entry.before is None else Json(entry.before), entry.previous_hash, entry.hash),
                    *(lab.workspace_id, entry.sequence),
                ),
            )
            last = link_of(entry)
        connection.execute(
            "update config.audit_heads set hash = %s where workspace_id = %s", (last.hash, lab.workspace_id)
        )
