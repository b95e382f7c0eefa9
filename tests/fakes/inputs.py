"""Inputs of stream services as values: events of one host with defaults, wrapped as if read from Kafka."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from vigilo.events import ids
from vigilo.events.cards import CertificateChange, PathCertificate, ReportCard, Verdict
from vigilo.events.envelope import Event, Record
from vigilo.events.facts import CertificateFacts
from vigilo.events.hosts import Host, HostCommand, HostCommandKind, HostStatus, Interval, Target
from vigilo.events.posture import GroupsPosture, Posture, PostureOrigin, PostureSource, Support, VersionPosture
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, Severity, Snooze
from vigilo.events.scans import Depth, Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.events.triggers import ExpiresInLessThan
from vigilo.ports.processing import Input

WORKSPACE = UUID("0190a000-0000-7000-8000-000000000001")
HOST = UUID("0190a000-0000-7000-8000-0000000000aa")
RULE = UUID("0190a000-0000-7000-8000-0000000000bb")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LEAF = "a1" * 32
OTHER_LEAF = "b2" * 32


def given(topic: str, event: Event | None, *, offset: int = 0, ce_id: str | None = None, key: object = None) -> Input:
    """The event as the stream base hands it over; `key` defaults to the event's host."""
    key_bytes = str(key or getattr(event, "host_id", HOST)).encode("ascii")
    record = Record(topic, 0, offset, 0, key_bytes, b"{}", ())
    return Input(record=record, event=event, ce_id=ce_id or f"{topic}-{offset}")


def host(**changes: Any) -> Host:
    """An active host, version 1."""
    fields: dict[str, Any] = {
        "host_id": HOST,
        "workspace_id": WORKSPACE,
        "version": 1,
        "status": HostStatus.ACTIVE,
        "hostname": "shop.example",
        "port": 443,
        "interval": Interval.H1,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Host(**{**fields, **changes})


def scan_command(*, at: datetime, host_version: int = 1, command: UUID | None = None, **changes: Any) -> HostCommand:
    """A person's "scan now"."""
    fields: dict[str, Any] = {
        "command_id": command or ids.new_id(),
        "host_id": HOST,
        "workspace_id": WORKSPACE,
        "host_version": host_version,
        "kind": HostCommandKind.SCAN,
        "by": "ada",
        "at": at,
    }
    return HostCommand(**{**fields, **changes})


def snapshot(
    *, scan_id: UUID, target: Target, requested_at: datetime, chain: tuple[str, ...] = (LEAF,), **changes: Any
) -> Snapshot:
    """What a scanner saw: by default a chain of these fingerprints."""
    fields: dict[str, Any] = {
        "scan_id": scan_id,
        "target": target,
        "requested_at": requested_at,
        "depth": Depth.LIGHT,
        "reason": ScanReason.SLOT,
        "outcome": Outcome.OK,
        "finished_at": requested_at + timedelta(seconds=1),
        "chain": tuple(CertificateFacts(fingerprint_sha256=one) for one in chain),
        "chain_count": len(chain),
        "scanner": "scanner-1",
    }
    return Snapshot(**{**fields, **changes})


def posture(*, accepted: tuple[str, ...] = ("TLSv1.2", "TLSv1.3"), **changes: Any) -> Posture:
    """A whole posture: these versions with two suites each, the others rejected."""
    fields: dict[str, Any] = {
        "versions": tuple(_version(name, accepted=name in accepted) for name in _SUITES),
        "groups": GroupsPosture(groups=("X25519MLKEM768", "x25519"), complete=True),
        "groups_tls12": GroupsPosture(groups=("x25519", "secp256r1"), complete=True),
        "address": "192.0.2.1",
    }
    return Posture(**{**fields, **changes})


_SUITES = {
    "SSLv3": (),
    "TLSv1.0": ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    "TLSv1.1": ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    "TLSv1.2": ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    "TLSv1.3": ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"),
}


def _version(name: str, *, accepted: bool) -> VersionPosture:
    if not accepted:
        return VersionPosture(version=name, support=Support.REJECTED, complete=True)
    suites = _SUITES[name]
    return VersionPosture(
        version=name, support=Support.ACCEPTED, suites=suites, suites_count=len(suites), complete=True
    )


def measured(asked: ScanRequested, found: Posture | None = None, **changes: Any) -> dict[str, Any]:
    """Fields of the snapshot of a full scan that found this posture."""
    at = asked.requested_at
    origin = PostureOrigin(source=PostureSource.MEASURED, scan_id=asked.scan_id, measured_at=at, checked_at=at)
    return {"depth": Depth.FULL, "posture": found or posture(), "posture_origin": origin, **changes}


def card(
    *,
    requested_at: datetime,
    not_after: datetime | None = None,
    target: Target | None = None,
    scan_id: UUID | None = None,
    lifetime: timedelta = timedelta(days=90),
    **changes: Any,
) -> ReportCard:
    """A report card; with `not_after` its leaf is seen and the chain is valid, without it the host was unreachable."""
    path: tuple[PathCertificate, ...] = ()
    if not_after is not None:
        path = (
            PathCertificate(
                fingerprint_sha256=LEAF,
                subject="CN=shop.example",
                issuer="CN=Example CA",
                not_before=not_after - lifetime,
                not_after=not_after,
            ),
        )
    fields: dict[str, Any] = {
        "scan_id": scan_id or ids.caused_scan_id(HOST, requested_at.isoformat()),
        "target": target or host().target(),
        "requested_at": requested_at,
        "outcome": Outcome.OK if path else Outcome.UNREACHABLE,
        "path": path,
        "chain_valid": Verdict.YES if path else Verdict.UNKNOWN,
        "rulebook": "vigilo-2026",
        "trust_store": "test",
        "graded_at": requested_at + timedelta(seconds=1),
    }
    return ReportCard(**{**fields, **changes})


def change(*, requested_at: datetime, **changes: Any) -> CertificateChange:
    """A new leaf of the same issuer, as a renewal brings it."""
    fields: dict[str, Any] = {
        "scan_id": ids.caused_scan_id(HOST, requested_at.isoformat()),
        "target": host().target(),
        "requested_at": requested_at,
        "old": PathCertificate(fingerprint_sha256=LEAF, subject="CN=shop.example", issuer="CN=Example CA"),
        "new": PathCertificate(fingerprint_sha256=OTHER_LEAF, subject="CN=shop.example", issuer="CN=Example CA"),
        "issuer_changed": False,
    }
    return CertificateChange(**{**fields, **changes})


def snooze(**changes: Any) -> Snooze:
    """A snooze from noon on; says neither of what nor until when."""
    fields: dict[str, Any] = {
        "snooze_id": ids.new_id(),
        "workspace_id": WORKSPACE,
        "version": 1,
        "status": RecordStatus.ACTIVE,
        "since": NOON,
    }
    return Snooze(**{**fields, **changes})


def rule(**changes: Any) -> AlertRule:
    """A rule over all hosts: expires in less than 30 days."""
    fields: dict[str, Any] = {
        "rule_id": RULE,
        "workspace_id": WORKSPACE,
        "version": 1,
        "status": RecordStatus.ACTIVE,
        "name": "expires soon",
        "trigger": ExpiresInLessThan(days=30),
        "scope": AllHosts(),
        "severity": Severity.WARNING,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return AlertRule(**{**fields, **changes})
