"""A fleet as the topics carry it: hosts, their scans and their cards, of realistic size. A function of the numbers."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.fakes.pki import Authority, Options, ec_key
from vigilo.events import ids
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, Event, OutgoingEvent
from vigilo.events.hosts import Host, HostStatus, Interval, Protocol
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, Severity, TaggedHosts
from vigilo.events.scans import AddressResult, Depth, Outcome, ScanReason, Snapshot
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    NameMismatch,
    NotTls,
    OcspStaplingStops,
    ProtocolBelow,
    ScanOverdue,
    Trigger,
    Unreachable,
    WeakKey,
)
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import TrustStores, anchors_from_pem
from vigilo.tls.chain import ChainFacts, describe_chain

WORKSPACE = UUID("0190b000-0000-7000-8000-000000000001")
SOURCE = "vigilo/bench"
TAGS = ("prod", "edge", "shop", "intern", "legacy")
# One of each kind, expiry in both of its ways; none is true of a healthy host.
EVERY_TRIGGER: tuple[Trigger, ...] = (
    ExpiresInLessThan(days=30),
    ExpiresInLessThan(days=7, share=1 / 6, include="path"),
    GradeBelow(grade=Grade.C),
    ChainValidationFails(),
    OcspStaplingStops(),
    NameMismatch(),
    Unreachable(),
    NotTls(),
    ScanOverdue(),
    ProtocolBelow(),
    WeakKey(),
    CertificateChanged(),
)


def derived(*parts: object) -> UUID:
    """An id that is the same in every run."""
    return UUID(bytes=hashlib.sha256(repr(parts).encode()).digest()[:16], version=4)


def host(number: int, at: datetime) -> Host:
    """The record of the n-th host, scanned once a day, so that few slots fall into a measurement."""
    return Host(
        host_id=derived("host", number),
        workspace_id=WORKSPACE,
        version=1,
        status=HostStatus.ACTIVE,
        hostname=f"h{number}.shop.example",
        port=443,
        interval=Interval.H24,
        tags=(TAGS[number % len(TAGS)],),
        created_at=at,
        updated_at=at,
    )


def rule(name: object, trigger: Trigger, at: datetime, **changes: Any) -> AlertRule:
    """A rule over all hosts that tells nobody."""
    fields: dict[str, Any] = {
        "rule_id": derived("rule", name),
        "workspace_id": WORKSPACE,
        "version": 1,
        "status": RecordStatus.ACTIVE,
        "name": f"rule {name}",
        "trigger": trigger,
        "scope": AllHosts(),
        "severity": Severity.WARNING,
        "created_at": at,
        "updated_at": at,
    }
    return AlertRule(**{**fields, **changes})


def rules(count: int, at: datetime) -> Iterator[AlertRule]:
    """Rules none of which is true of a healthy host: half over all hosts, half over a tag."""
    for number in range(count):
        trigger = ChainValidationFails() if number % 5 == 0 else ExpiresInLessThan(days=1 + number % 25)
        scope = AllHosts() if number % 2 else TaggedHosts(tag=TAGS[number // 2 % len(TAGS)])
        yield rule(number, trigger, at, scope=scope, channels=(derived("channel", number % 3),))


def mixed_rules(count: int, at: datetime) -> Iterator[AlertRule]:
    """`EVERY_TRIGGER` over all hosts, then all of them over a tag, and so on, until there are so many rules."""
    for number in range(count):
        again, kind = divmod(number, len(EVERY_TRIGGER))
        scope = TaggedHosts(tag=TAGS[number % len(TAGS)]) if again % 2 else AllHosts()
        yield rule(number, EVERY_TRIGGER[kind], at, scope=scope)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Hosts that all serve chains of two P-256 certificates below one authority, the leaf good for 60 more days."""

    authority: Authority
    at: datetime
    chains: tuple[ChainFacts, ...]

    @classmethod
    def of(cls, hosts: int, *, authority: Authority | None = None) -> Fleet:
        """So many hosts, each with a leaf of its own (one key: making keys is not what is measured)."""
        authority, key = authority or Authority.create("Bench"), ec_key()
        begins = datetime.now(UTC) - timedelta(days=30)
        leaves = (
            authority.leaf(
                f"h{number}.shop.example",
                f"www.h{number}.shop.example",
                options=Options(key=key, not_before=begins, ocsp_url="http://ocsp.example/"),
            )
            for number in range(hosts)
        )
        return cls(authority, datetime.now(UTC), tuple(describe_chain(leaf.chain_der) for leaf in leaves))

    @property
    def trust_bundle(self) -> bytes:
        """PEM of the one public root."""
        return self.authority.root.pem

    def hosts(self) -> list[Host]:
        """All host records."""
        return [host(number, self.at) for number in range(len(self.chains))]

    def snapshot(self, number: int, scan: int, *, der: bool) -> Snapshot:
        """The n-th host's scan of that number; `der` as when the chain is new."""
        chain = self.chains[number]
        requested_at = self.at + timedelta(milliseconds=scan)
        return Snapshot(
            scan_id=derived("scan", number, scan),
            target=host(number, self.at).target(),
            requested_at=requested_at,
            depth=Depth.LIGHT,
            reason=ScanReason.SLOT,
            outcome=Outcome.OK,
            started_at=requested_at,
            finished_at=requested_at,
            duration_ms=41,
            address="192.0.2.7",
            addresses=(
                AddressResult(
                    address="192.0.2.7",
                    outcome=Outcome.OK,
                    connect_ms=12,
                    handshake_ms=27,
                    leaf_sha256=chain.certificates[0].fingerprint_sha256,
                ),
            ),
            protocol=Protocol.TLS,
            tls_version="TLSv1.3",
            cipher_suite="TLS_AES_256_GCM_SHA384",
            group="X25519MLKEM768",
            alpn="h2",
            chain=chain.certificates,
            chain_count=chain.count,
            chain_der=chain.der if der else None,
            chain_der_omitted=None if der else "same as baseline",
            scanner="scanner-1",
        )

    def judge(self) -> TrustJudge:
        """The grader's judge over this fleet's root."""
        return TrustJudge(TrustStores(public=anchors_from_pem(self.trust_bundle, version="bench")))

    def card(self, number: int, scan: int, judge: TrustJudge) -> ReportCard:
        """What the grader says of a snapshot."""
        snapshot, der = self.snapshot(number, scan, der=False), self.chains[number].der or ()
        return grade_snapshot(snapshot, [b64decode(one) for one in der], judge=judge, at=snapshot.finished_at)


def event(topic: str, key: UUID, about: Event, event_id: UUID) -> EncodedEvent:
    """The record of one event."""
    return encode(OutgoingEvent(topic, str(key), event_id, about, datetime.now(UTC)), source=SOURCE)


def host_event(one: Host) -> EncodedEvent:
    """A host record on its topic."""
    return event("hosts", one.host_id, one, ids.record_id(one.host_id, one.version))


def rule_event(one: AlertRule) -> EncodedEvent:
    """A rule on its topic."""
    return event("alert-rules", one.rule_id, one, ids.record_id(one.rule_id, one.version))


def snapshot_event(one: Snapshot) -> EncodedEvent:
    """A snapshot on its topic."""
    return event("snapshots", one.host_id, one, ids.snapshot_id(one.scan_id))


def card_event(one: ReportCard) -> EncodedEvent:
    """A report card on its topic."""
    return event("report-cards", one.host_id, one, ids.report_card_id(one.scan_id))
