"""A month of a fleet in the read model: 100 hosts through the projector's own code, the others copies of their rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg

from tests.fakes.observations import WORKSPACES, host_of, in_partitions, target_of
from tests.fakes.read_model import Letters, replayed
from vigilo.events import ids
from vigilo.events.cards import Finding, FindingLevel, Grade, PathCertificate, ReportCard, Verdict
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.facts import StapleStatus
from vigilo.events.scans import Outcome

ORIGINALS = 100
SCANS = 30 * 24
HOUR = timedelta(hours=1)

_FINDING = Finding(
    rule="protocol-version",
    level=FindingLevel.GOOD,
    title="Only modern protocol versions",
    evidence="TLSv1.3 with X25519MLKEM768",
    citation="RFC 9325 section 3.1",
)


async def fill(url: str, *, begin: datetime) -> None:
    """A month of hourly report cards of the first hundred hosts of the first workspace, ending about now."""
    letters = Letters()
    now_ms = int((datetime.now(UTC) + HOUR).timestamp() * 1000)
    drawn = in_partitions((event for host in range(ORIGINALS) for event in _encoded(host, begin)), partitions=1)
    logs = {one: [replace(record, timestamp_ms=now_ms) for record in log] for one, log in drawn.items()}
    await replayed(url, logs, partitions=1, size=500, letters=letters)
    assert letters.reasons == []


def _encoded(host: int, begin: datetime) -> Iterator[EncodedEvent]:
    for card in course(host, begin):
        outgoing = OutgoingEvent(
            "report-cards", str(card.host_id), ids.report_card_id(card.scan_id), card, card.graded_at
        )
        yield encode(outgoing, source="/tests/bench")


def course(host: int, begin: datetime) -> Iterator[ReportCard]:
    """Hourly cards of a host: a renewal, now and then an outage of a few hours, a letter that gets better."""
    chance = random.Random(host)
    renewed, better = chance.randrange(SCANS), chance.randrange(SCANS)
    outages = {chance.randrange(SCANS) + hour for _ in range(host % 4) for hour in range(chance.randrange(1, 6))}
    ends = (begin + timedelta(days=chance.uniform(10, 60)), begin + timedelta(days=120))
    for number in range(SCANS):
        at = begin + number * HOUR + timedelta(seconds=chance.uniform(0, 20))
        yield _card(
            host, at, number, end=ends[number >= renewed], well=number not in outages, good=number >= better or host % 3
        )


def _card(host: int, at: datetime, number: int, *, end: datetime, well: bool, good: bool | int) -> ReportCard:
    target = target_of(host * 2)  # even numbers belong to the first workspace
    return ReportCard(
        scan_id=ids.slot_scan_id(target.host_id, 1, number),
        target=target,
        requested_at=at,
        outcome=Outcome.OK if well else Outcome.CONNECT_TIMEOUT,
        grade=(Grade.A if good else Grade.C) if well else None,
        findings=(_FINDING,) * 12 if well else (),
        chain_valid=Verdict.YES if well else Verdict.UNKNOWN,
        name_matches=Verdict.YES if well else Verdict.UNKNOWN,
        path=_path(host, end) if well else (),
        staple_status=StapleStatus.GOOD if well else None,
        staple_wanted=True if well else None,
        versions_accepted=("TLSv1.2", "TLSv1.3") if well else (),
        rulebook="vigilo-2026",
        trust_store="bench",
        graded_at=at,
    )


def _path(host: int, end: datetime) -> tuple[PathCertificate, ...]:
    return tuple(
        PathCertificate(
            fingerprint_sha256=random.Random(f"{host} {end} {depth}").randbytes(32).hex(),
            subject=f"CN=h{host}-{depth}.example",
            issuer="CN=Some Issuing CA R3,O=Example Trust Services,C=US",
            not_before=end - timedelta(days=90),
            not_after=end + depth * timedelta(days=900),
            key_algorithm="ec",
            key_bits=256,
            signature_algorithm="sha256WithRSAEncryption",
        )
        for depth in range(2)
    )


def multiply(url: str, *, hosts: int) -> None:
    """So many hosts in all: the same rows again, under other ids."""
    others = "md5(t.host_id::text || k)::uuid"
    with psycopg.connect(url, autocommit=True) as connection:
        names = {}
        for table in ("card_runs", "report_cards"):
            rows = connection.execute(
                "select string_agg(attname, ', ') from pg_attribute where attrelid = %s::regclass and attnum > 0 "
                "and not attisdropped and attname <> 'host_id'",
                (f"read_model.{table}",),
            ).fetchone()
            assert rows is not None
            names[table] = rows[0]
        for table, columns in names.items():
            connection.execute(
                f"insert into read_model.{table} (host_id, {columns}) select {others}, {columns} "
                f"from read_model.{table} t, generate_series(1, %s) k".encode(),
                (hosts // ORIGINALS - 1,),
            )
        connection.execute(
            'insert into config.hosts (host_id, workspace_id, version, status, hostname, port, "interval", tags, '
            "protocol, pool, trust, probing, created_at, updated_at) "
            f"select {others}, workspace_id, 1, 'active', k || hostname, port, \"interval\", '{{other}}', protocol, "
            "pool, trust, probing, created_at, updated_at from config.hosts t, generate_series(1, %s) k".encode(),
            (hosts // ORIGINALS - 1,),
        )
        connection.execute("vacuum analyze")


def add_hosts(url: str, *, at: datetime) -> None:
    """The hundred hosts, as the API would keep them."""
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(ORIGINALS):
            connection.execute(
                'insert into config.hosts (host_id, workspace_id, version, status, hostname, port, "interval", tags, '
                "protocol, pool, trust, probing, created_at, updated_at) "
                "values (%s, %s, 1, 'active', %s, 443, '1h', '{prod}', 'auto', 'public', 'any', 'full', %s, %s)",
                (host_of(number * 2), WORKSPACES[0], f"h{number}.example", at, at),
            )
