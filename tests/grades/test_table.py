"""Every row of the table: its server is scanned in full, and both rulebooks say what the sources demand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.scan_requests import full_request
from tests.grades.certificates import Certificates
from tests.grades.pending import PENDING
from tests.grades.rows import Row, Topic
from tests.grades.servers import serving
from tests.grades.table import ROWS
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.events.cards import ReportCard
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import rulebook
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

VIGILO, LABS = "vigilo-2026", "ssllabs-compatible-2009r"
# These take a fifth of a second each; with the others it is a minute.
QUICK = {
    "good",
    "expired",
    "incomplete chain",
    "wrong name",
    "RSA 1024, public",
    "SHA-1 leaf",
    "revoked staple",
    "TLS 1.2 only",
    "SSL 2",
    "static RSA offered",
    "Heartbleed",
    "HSTS of 30 days",
}
RULES: Mapping[Topic, set[str]] = {
    Topic.TRUST: {"rfc5280.chain-validates"},
    Topic.NAME: {"rfc9525.name-matches"},
    Topic.KEY: {"cabf-br.key-size"},
    Topic.SIGNATURE: {"cabf-br.signature-algorithm"},
    Topic.LIFETIME: {"cabf-br.lifetime"},
    Topic.STAPLE: {"house.stapling"},
    Topic.VERSIONS: {"rfc8996.protocol-version"},
    Topic.TLS13: {"rfc8996.protocol-version"},
    Topic.CIPHERS: {"rfc9325.cipher-suites"},
    Topic.AEAD: {"rfc9325.authenticated-encryption"},
    Topic.FORWARD_SECRECY: {"rfc9325.forward-secrecy"},
    Topic.KEY_EXCHANGE: {"rfc10015.key-exchange"},
    Topic.DH: {"rfc9325.parameter-size"},
    Topic.COMPRESSION: {"rfc9325.compression"},
    Topic.RENEGOTIATION: {"rfc5746.secure-renegotiation"},
    Topic.VULNERABILITY: {"house.vulnerabilities"},
    Topic.HSTS: {"house.hsts"},
    Topic.POST_QUANTUM: {"house.post-quantum"},
}
LABS_RULES: Mapping[Topic, set[str]] = {
    Topic.TRUST: {"ssllabs.trusted", "ssllabs.incomplete-chain"},
    Topic.NAME: {"ssllabs.name-matches"},
    Topic.KEY: {"ssllabs.key-size"},
    Topic.SIGNATURE: {"ssllabs.signature"},
    Topic.VERSIONS: {"ssllabs.ssl2", "ssllabs.ssl3", "ssllabs.old-tls", "ssllabs.newest-version"},
    Topic.TLS13: {"ssllabs.newest-version"},
    Topic.CIPHERS: {"ssllabs.weak-suites", "ssllabs.rc4", "ssllabs.short-blocks"},
    Topic.AEAD: {"ssllabs.authenticated-encryption"},
    Topic.FORWARD_SECRECY: {"ssllabs.forward-secrecy"},
    Topic.DH: {"ssllabs.key-size"},
    Topic.COMPRESSION: {"ssllabs.compression"},
    Topic.RENEGOTIATION: {"ssllabs.renegotiation"},
    Topic.VULNERABILITY: {"ssllabs.vulnerabilities"},
    Topic.HSTS: {"ssllabs.hsts"},
}


class Lab:
    """Certificates, and one full scan of each row that is asked for."""

    def __init__(self, folder: Path) -> None:
        self.certificates = Certificates()
        self._folder = folder
        self._snapshots: dict[str, Snapshot] = {}

    def snapshot(self, row: Row) -> Snapshot:
        """The full scan of the row's server."""
        if row.id not in self._snapshots:
            folder = self._folder / "".join(
                one for one in row.id if one.isalnum()
            )  # overlay mounts split paths at commas
            folder.mkdir(exist_ok=True)
            self._snapshots[row.id] = asyncio.run(self._scan(row, folder))
        return self._snapshots[row.id]

    async def _scan(self, row: Row, folder: Path) -> Snapshot:
        resolver = SystemResolver(threads=2)
        tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["127.0.0.0/8"])), name="table")
        try:
            with serving(row, self.certificates, folder) as place:
                request = full_request(
                    row.name or place.address,
                    place.port,
                    address=place.address,
                    trust=row.trust,
                    protocol=Protocol.AUTO,
                )
                return await scan_target(request, tools)
        finally:
            await tools.close()
            resolver.close()

    def card(self, row: Row, book: str) -> ReportCard:
        """What the rulebook of that name says of it; the test CAs are the anchors of both domains."""
        snapshot = self.snapshot(row)
        served = self.certificates.served(row.profile, snapshot.address or "")
        ders = [one.public_bytes(Encoding.DER) for one in served.chain]
        at = row.graded_at or datetime.now(UTC)
        return grade_snapshot(snapshot, ders, judge=self._judge, at=at, rulebook=rulebook(book))

    @cached_property
    def _judge(self) -> TrustJudge:
        made = self.certificates
        public = AnchorSet("public", (made.public.root.certificate, made.rsa_root.certificate))
        private = AnchorSet("private", (made.private.root.certificate,))
        return TrustJudge(TrustStores(public, private))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("table"))


def rows(book: str) -> list[object]:
    """Slow but for a dozen; what is pending must fail until it is settled."""
    decided = [row for row in ROWS if book == VIGILO or row.labs is not None]
    return [pytest.param(row, id=row.id, marks=_marks(row, book)) for row in decided]


def _marks(row: Row, book: str) -> list[pytest.MarkDecorator]:
    marks = [] if row.id in QUICK else [pytest.mark.slow]
    if (row.id, book) in PENDING:
        marks.append(pytest.mark.xfail(strict=True, raises=AssertionError, reason=PENDING[row.id, book]))
    return marks


@pytest.mark.parametrize("row", rows(VIGILO))
def test_vigilo_2026(lab: Lab, row: Row) -> None:
    card = lab.card(row, VIGILO)
    assert (card.outcome, card.provisional) == (Outcome.OK, False), card.detail
    assert card.grade is row.grade, _told(card)
    if row.rule is not None:
        assert RULES[row.rule] & set(card.deciding), _told(card)


@pytest.mark.parametrize("row", rows(LABS))
def test_ssllabs_compatible(lab: Lab, row: Row) -> None:
    card = lab.card(row, LABS)
    assert row.labs is not None
    shown = card.grade if card.special is None else card.special
    assert shown is not None
    assert str(shown) == row.labs, _told(card)
    if row.labs_rule is not None:
        assert LABS_RULES[row.labs_rule] & set(card.deciding), _told(card)


def test_at_least_sixty_different_configurations() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert len({(str(row.server), repr(row.server), row.certificate, row.trust, row.name) for row in ROWS}) >= 60


def test_what_is_pending_is_a_row() -> None:
    assert {row for row, _ in PENDING} <= {row.id for row in ROWS}
    assert {row.id for row in ROWS} >= QUICK


def _told(card: ReportCard) -> str:
    capping = [f"{one.rule} {one.cap}: {one.evidence}" for one in card.findings if one.cap is not None]
    return f"{card.grade} by {', '.join(card.deciding)}; {'; '.join(capping)}"
