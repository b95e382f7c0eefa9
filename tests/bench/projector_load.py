"""Scans, report cards and alerts of the size real ones have: three certificates, twelve findings, 3.4 KB an event."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.fakes.alerts import transition
from tests.fakes.observations import derived
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import (
    Finding,
    FindingLevel,
    Grade,
    PathCertificate,
    ReportCard,
    TrustDomain,
    TrustVerdict,
    Verdict,
)
from vigilo.events.codec import encode
from vigilo.events.envelope import EncodedEvent, OutgoingEvent
from vigilo.events.facts import CertificateFacts, KeyAlgorithm, StapleFacts, StapleStatus
from vigilo.events.hosts import Protocol, Target
from vigilo.events.scans import AddressResult, Depth, Outcome, ScanReason, Snapshot

WORKSPACE = UUID("0190c000-0000-7000-8000-000000000001")
START = datetime(2025, 3, 1, tzinfo=UTC)


def load(hosts: int, rounds: int) -> Iterator[EncodedEvent]:
    """Every host scanned `rounds` times, an hour apart; DER with the first scan only, an alert with every 20th."""
    for number in range(rounds):
        for host in range(hosts):
            scan = snapshot(host, number)
            yield _encoded("snapshots", ids.snapshot_id(scan.scan_id), scan)
            yield _encoded("report-cards", ids.report_card_id(scan.scan_id), report_card(scan))
            if (host + number) % 20 == 0:
                alert = _alert(scan)
                yield _encoded("alerts", alert.transition_id, alert)


def _alert(scan: Snapshot) -> AlertTransition:
    at = scan.finished_at
    opened = transition(
        TransitionKind.OPENED, workspace_id=WORKSPACE, host_id=scan.host_id, cause=str(scan.scan_id), at=at
    )
    return opened.model_copy(update={"opened_at": at})


def snapshot(host: int, number: int) -> Snapshot:
    """A light scan that went well."""
    target = Target(
        workspace_id=WORKSPACE, host_id=derived("bench", host), host_version=1, hostname=f"h{host}.example", port=443
    )
    at = START + timedelta(hours=number, seconds=host % 3_600)
    chain = (_certificate(host), _certificate(-1 - host % 10), _certificate(-1 - (host + 1) % 10))
    return Snapshot(
        scan_id=ids.slot_scan_id(target.host_id, 1, number),
        target=target,
        requested_at=at,
        depth=Depth.LIGHT,
        reason=ScanReason.SLOT,
        outcome=Outcome.OK,
        started_at=at,
        finished_at=at + timedelta(milliseconds=123),
        duration_ms=123,
        address="192.0.2.1",
        addresses=(AddressResult(address="192.0.2.1", outcome=Outcome.OK, connect_ms=10, handshake_ms=20),),
        protocol=Protocol.TLS,
        tls_version="TLSv1.3",
        cipher_suite="TLS_AES_256_GCM_SHA384",
        group="X25519MLKEM768",
        alpn="h2",
        chain=chain,
        chain_count=3,
        chain_der=tuple(_der(one.fingerprint_sha256) for one in chain) if number == 0 else None,
        staple=StapleFacts(present=False),
        scanner="scanner-1",
    )


def report_card(scan: Snapshot) -> ReportCard:
    """The card of that scan."""
    finding = Finding(
        rule="protocol-version",
        level=FindingLevel.GOOD,
        title="Only modern protocol versions",
        evidence="TLSv1.3 with X25519MLKEM768",
        citation="RFC 9325 section 3.1",
    )
    return ReportCard(
        scan_id=scan.scan_id,
        target=scan.target,
        requested_at=scan.requested_at,
        outcome=scan.outcome,
        grade=Grade.A,
        posture_grade=Grade.A,
        findings=(finding,) * 12,
        trust=(TrustVerdict(domain=TrustDomain.PUBLIC, trusted=Verdict.YES),),
        chain_valid=Verdict.YES,
        name_matches=Verdict.YES,
        path=tuple(
            PathCertificate(fingerprint_sha256=one.fingerprint_sha256, subject=one.subject, issuer=one.issuer)
            for one in scan.chain
        ),
        names=scan.chain[0].san,
        names_count=2,
        staple_status=StapleStatus.NOT_OFFERED,
        tls_version="TLSv1.3",
        rulebook="vigilo-2026",
        trust_store="bench",
        graded_at=scan.finished_at,
    )


def _certificate(number: int) -> CertificateFacts:
    chance = random.Random(number)
    return CertificateFacts(
        fingerprint_sha256=chance.randbytes(32).hex(),
        spki_sha256=chance.randbytes(32).hex(),
        subject=f"CN=h{number}.example",
        issuer="CN=Some Issuing CA R3,O=Example Trust Services,C=US",
        serial_hex=chance.randbytes(16).hex(),
        not_before=START,
        not_after=START + timedelta(days=90),
        san=(f"h{number}.example", f"www.h{number}.example"),
        san_count=2,
        key_algorithm=KeyAlgorithm.EC,
        key_bits=256,
        signature_algorithm="sha256WithRSAEncryption",
        eku=("serverAuth", "clientAuth"),
        ocsp_urls=("http://ocsp.example",),
        crl_urls=("http://crl.example/r3.crl",),
        sct_count=2,
    )


def _der(seed: str) -> str:
    return base64.b64encode(random.Random(seed).randbytes(1_200)).decode("ascii")


def _encoded(topic: str, event_id: UUID, event: Snapshot | ReportCard | AlertTransition) -> EncodedEvent:
    return encode(OutgoingEvent(topic, str(event.host_id), event_id, event, START), source="/tests/bench")
