"""What was observed and decided, as answers show it. Pure."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.models.text import Instant, Notes
from services.api.pagination import DEFAULT_LIMIT, CursorText, Limit
from vigilo.events.alerts import AlertFacts, AlertTransition, CloseReason
from vigilo.events.cards import CertificateChange, ChangeKind, Grade, ReportCard
from vigilo.events.deliveries import DeliveryStatus
from vigilo.events.facts import CertificateFacts
from vigilo.events.rules import Severity
from vigilo.events.scans import Depth, Outcome, ScanReason, Snapshot
from vigilo.events.text import PeerText


class HostRef(BaseModel):
    """A host by today's name and tags; one that is long gone by the name it had."""

    host_id: UUID
    hostname: str = Field(examples=["www.example.com"])
    port: int = Field(examples=[443])
    tags: tuple[str, ...] = ()


class SnapshotSummary(BaseModel):
    """One line of a host's history."""

    host_id: UUID
    scan_id: UUID
    requested_at: datetime
    finished_at: datetime
    depth: Depth
    reason: ScanReason
    outcome: Outcome
    detail: PeerText | None = None
    tls_version: str | None = None
    leaf_sha256: str | None = None
    grade: Grade | None = Field(None, description="From the report card; null until graded, or without a letter")
    url: str = Field(examples=["/api/v1/workspaces/default/snapshots/018f3e5c-0000-7000-8000-000000000009"])


class SnapshotView(Snapshot):
    """One scan, whole. Certificates as bytes are at /certificates/{sha256}."""

    chain_der: tuple[str, ...] | None = Field(None, exclude=True)
    chain_der_omitted: str | None = Field(None, exclude=True)
    host: HostRef
    grade: Grade | None = None
    url: str


class ReportCardView(ReportCard):
    """The newest report card of a host."""

    host: HostRef


class GradeDay(BaseModel):
    """One day (UTC): how many scans, how many failed; the last, best and worst letter, null without any."""

    day: date
    scans: int
    failed: int
    grade: Grade | None = None
    best: Grade | None = None
    worst: Grade | None = None


class GradeChange(BaseModel):
    """The letter became another one; `old_grade` is null for the first letter of the period."""

    at: datetime
    scan_id: UUID
    old_grade: Grade | None = None
    grade: Grade


class GradeHistory(BaseModel):
    """Letters of a host over the last days: days with scans, oldest first; changes, newest first, at most 500."""

    host_id: UUID
    since: datetime
    days: list[GradeDay]
    changes: list[GradeChange]


class ChangeView(CertificateChange):
    """A host began to serve another certificate, or others above the same one; what is not known is null."""


class HistoryListing(BaseModel):
    """Which page of a host's history."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class SnapshotListing(HistoryListing):
    """Which scans of a host, and which page."""

    outcome: Outcome | None = Field(None, description="Only scans that ended so")


class ChangeListing(HistoryListing):
    """Which certificate changes of a host, and which page."""

    kind: ChangeKind | None = Field(None, description="Only of the host's own certificate, or only of those above it")
    unexpected: bool | None = Field(
        None, description="Only changes that a mere renewal does not explain, or the others"
    )


class TimelineKind(StrEnum):
    """What a line of the timeline is about."""

    ALERT = "alert"
    CERTIFICATE_CHANGE = "certificate-change"
    WORK_ITEM = "work-item"


class TimelineEntry(BaseModel):
    """Something that happened to a host; `details` is the event."""

    at: datetime
    id: UUID
    kind: TimelineKind
    details: dict[str, Any]


class AlertState(StrEnum):
    """`open`, `acknowledged` and `suppressed` alerts are those somebody should care about."""

    PENDING = "pending"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    CLOSED = "closed"


class AlertListing(BaseModel):
    """Which alerts, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: tuple[AlertState, ...] = Field(
        (), max_length=5, description="Only these states, repeatable; left out: every alert that ever fired"
    )
    severity: Severity | None = Field(None, description="Only this severity")
    host: UUID | None = Field(None, description="Only alerts of this host")
    rule: UUID | None = Field(None, description="Only alerts of this rule")
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class RuleRef(BaseModel):
    """A rule by today's name."""

    rule_id: UUID
    name: str


class Acknowledged(BaseModel):
    """Who looks after it."""

    at: datetime
    by: str | None = None
    by_name: str | None = Field(None, description="Today's name of who it is")
    note: str | None = None


class AlertView(BaseModel):
    """An alert as its last transition left it."""

    alert_id: UUID
    state: AlertState
    severity: Severity
    summary: PeerText
    host: HostRef
    rule: RuleRef
    episode: int
    n: int = Field(description="Number of its last transition")
    opened_at: datetime
    at: datetime = Field(description="When its last transition happened")
    close_reason: CloseReason | None = None
    acknowledged: Acknowledged | None = None
    cause: str = Field("scan", description="What brought its last transition; `rulebook`: the host is judged otherwise")
    snoozed_until: datetime | None = Field(None, description="While suppressed")
    help: str | None = Field(None, description="Anchor in docs/troubleshooting.md that explains it")
    facts: AlertFacts
    url: str


class AlertDetail(AlertView):
    """An alert with its whole course."""

    transitions: list[AlertTransition]


class DeliveryView(BaseModel):
    """What became of a message on one channel."""

    delivery_id: UUID
    channel_id: UUID
    channel_name: str | None = None
    channel_kind: str | None = None
    alert_id: UUID | None = None
    transition_id: UUID | None = None
    digest_id: UUID | None = Field(None, description="It went out with others, in the message of that delivery")
    host_id: UUID | None = None
    hostname: str | None = None
    port: int | None = None
    status: DeliveryStatus
    attempt: int
    http_status: int | None = None
    error_class: str | None = None
    duration_ms: int | None = None
    next_attempt_at: datetime | None = None
    at: datetime


class Acknowledgement(BaseModel):
    """Somebody looks after an alert: it is not told of again until it is over."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"note": "CHG-1024, renewed at 18:00"}]}
    )

    note: Notes = Field(
        "", max_length=1000, description="What others should know; shown with the alert and in messages"
    )


class AcknowledgeAsked(BaseModel):
    """The alert will be acknowledged in a moment."""

    command_id: UUID
    alert_id: UUID


class Redelivery(BaseModel):
    """Which messages of a channel are to go out again: those of what happened from `since` until `until`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}]},
    )

    since: Instant = Field(examples=["2026-11-01T00:00:00Z"])
    until: Instant | None = Field(None, description="Left out: until now", examples=["2026-11-02T00:00:00Z"])
    statuses: tuple[DeliveryStatus, ...] = Field(
        (DeliveryStatus.FAILED,), min_length=1, max_length=4, description="Only those that ended, or stand, so"
    )


class RedeliveryAsked(BaseModel):
    """What will be sent again in a moment; its deliveries show among the deliveries."""

    command_id: UUID
    channel_id: UUID
    delivery_id: UUID | None = None


class DeliveryListing(BaseModel):
    """Which deliveries, and which page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    alert: UUID | None = Field(None, description="Only messages about this alert")
    channel: UUID | None = Field(None, description="Only messages on this channel")
    status: tuple[DeliveryStatus, ...] = Field((), max_length=4, description="Only those in this state, repeatable")
    since: Instant | None = Field(None, description="Last touched then or later", examples=["2026-11-01T00:00:00Z"])
    until: Instant | None = Field(None, description="Last touched before", examples=["2026-12-01T00:00:00Z"])
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText = None


class CertificateView(BaseModel):
    """A certificate that hosts of this workspace have shown."""

    sha256: str
    first_seen_at: datetime
    last_seen_at: datetime
    last_scan_id: UUID
    facts: CertificateFacts | None = Field(None, description="Null once the snapshot that told them has expired")
    pem: str | None = Field(None, description="Null when no scan has brought the bytes")
    hosts: list[HostRef] = Field(description="Hosts whose newest chain has it, at most 200")
