"""Alerts: a lifecycle of transitions, each with everything a message needs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.cards import Grade, TrustReason, Unexpected
from vigilo.events.envelope import Event
from vigilo.events.facts import StapleStatus
from vigilo.events.rules import Severity
from vigilo.events.text import PeerText
from vigilo.events.triggers import Trigger


class TransitionKind(StrEnum):
    """What happened to the alert.

    `clearing`: open, but the first of several answers that must say "no" has come. `reminder`: still open, and nobody
    has acknowledged it. `notice` opens and closes in one.
    """

    PENDING = "pending"
    OPENED = "opened"
    CLOSED = "closed"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    NOTICE = "notice"
    CLEARING = "clearing"
    REMINDER = "reminder"


class CloseReason(StrEnum):
    """Why an alert closed."""

    CLEARED = "cleared"
    HOST_PAUSED = "host-paused"
    HOST_DELETED = "host-deleted"
    RULE_DELETED = "rule-deleted"
    RULE_DISABLED = "rule-disabled"
    LEFT_SCOPE = "left-scope"
    NOT_APPLICABLE = "not-applicable"


class DecidedBy(BaseModel):
    """The input and the configuration that decided a transition: enough to decide it again.

    `config_version` maps the one-partition configuration topics to the offset up to which they had been read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: str
    partition: int
    offset: int
    ce_id: str
    config_version: dict[str, int]
    at: datetime


class AlertHost(BaseModel):
    """The host, as messages name it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host_id: UUID
    hostname: str
    port: int
    version: int
    tags: tuple[str, ...] = ()
    owner: str | None = None
    runbook_url: str | None = None


class AlertRuleRef(BaseModel):
    """The rule, at the version that decided."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rule_id: UUID
    version: int
    name: str
    trigger: Trigger
    severity: Severity
    channels: tuple[UUID, ...] = ()
    runbook_url: str | None = None


class AlertFacts(BaseModel):
    """What was known of the certificate when the transition was decided."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scan_id: UUID | None = None
    scanned_at: datetime | None = None
    not_after: datetime | None = None
    days_left: float | None = None
    fingerprint_sha256: str | None = None
    subject: PeerText | None = None
    issuer: PeerText | None = None
    chain_reason: TrustReason | None = None
    chain_detail: PeerText | None = None
    grade: Grade | None = None
    outcome: str | None = None
    names: tuple[PeerText, ...] = ()
    names_count: int = 0
    staple_status: StapleStatus | None = None
    tls_versions: tuple[str, ...] = ()
    weak: PeerText | None = None
    performed_at: datetime | None = None
    old_fingerprint_sha256: str | None = None
    unexpected: tuple[Unexpected, ...] = ()


class AlertTransition(Event):
    """The n-th transition of an alert (n counts from 1). `episode` is a number for people, per rule and host.

    `cause`: scan, time, host, rule, command, change, or rulebook: the host is as it was, but is judged otherwise.
    `scans_to_confirm` (pending, clearing): so many more scans with the same answer, and it opens or closes; the
    scheduler asks for them. `snoozed_until` is set while suppressed. `help` is the anchor in docs/troubleshooting.md
    that explains the trigger.
    """

    type_name: ClassVar[str] = "alert-transition"

    transition_id: UUID
    alert_id: UUID
    n: int = Field(ge=1)
    episode: int = Field(ge=1)
    kind: TransitionKind
    workspace_id: UUID
    host: AlertHost
    rule: AlertRuleRef
    summary: PeerText
    facts: AlertFacts
    close_reason: CloseReason | None = None
    opened_at: datetime
    at: datetime
    note: str | None = None
    by: str | None = None
    cause: str = "scan"
    scans_to_confirm: int = Field(default=0, ge=0)
    help: str | None = None
    snoozed_until: datetime | None = None
    decided_by: DecidedBy

    @property
    def host_id(self) -> UUID:
        """The host concerned."""
        return self.host.host_id
