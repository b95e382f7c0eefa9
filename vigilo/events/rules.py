"""Alert rules, snoozes, channels and workspace settings: configuration that services read as compacted topics."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vigilo.events.envelope import Event
from vigilo.events.triggers import Trigger


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class RecordStatus(StrEnum):
    """`deleted` is a last record; its tombstone follows after 30 days."""

    ACTIVE = "active"
    DELETED = "deleted"


class Severity(StrEnum):
    """Drives colour and routing."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AllHosts(_Part):
    """Every host of the workspace."""

    kind: Literal["all"] = "all"


class TaggedHosts(_Part):
    """Hosts that carry the tag."""

    kind: Literal["tag"] = "tag"
    tag: str = Field(min_length=1, max_length=64)


class OneHost(_Part):
    """One host."""

    kind: Literal["host"] = "host"
    host_id: UUID


Scope = Annotated[AllHosts | TaggedHosts | OneHost, Field(discriminator="kind")]


class AlertRule(Event):
    """One version of an alert rule. `open_after` / `close_after` count consecutive true / false judgements.

    `remind_every_minutes`: while an alert is open and nobody has acknowledged it, it is told of again that often.
    """

    type_name: ClassVar[str] = "alert-rule"

    rule_id: UUID
    workspace_id: UUID
    version: int = Field(ge=1)
    status: RecordStatus
    name: str = Field(min_length=1, max_length=200)
    enabled: bool = True
    trigger: Trigger
    scope: Scope
    severity: Severity
    channels: tuple[UUID, ...] = ()
    open_after: int = Field(default=1, ge=1, le=10)
    close_after: int = Field(default=1, ge=1, le=10)
    remind_every_minutes: int | None = Field(default=None, ge=5, le=43_200)
    runbook_url: str | None = None
    created_at: datetime
    updated_at: datetime


class Snooze(Event):
    """Alerts of one rule or one tag are suppressed for a window. (A host's snooze is a field of its record.)"""

    type_name: ClassVar[str] = "snooze"

    snooze_id: UUID
    workspace_id: UUID
    version: int = Field(ge=1)
    status: RecordStatus
    rule_id: UUID | None = None
    tag: str | None = None
    since: datetime
    until: datetime
    reason: str = ""
    by: str = ""


class ChannelKind(StrEnum):
    """Where alerts go."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    ALERTMANAGER = "alertmanager"


class Route(_Part):
    """Alerts that go to a channel although their rule does not name it: all three must fit, an empty one fits all."""

    severities: tuple[Severity, ...] = ()
    tags: tuple[str, ...] = ()
    rules: tuple[UUID, ...] = ()


class Channel(Event):
    """One version of a channel. Never a secret: address and keys stay in PostgreSQL, `destination` is for reading.

    It gets the alerts of the rules that name it, and those that fit any of its `routes`.
    """

    type_name: ClassVar[str] = "channel"

    channel_id: UUID
    workspace_id: UUID
    version: int = Field(ge=1)
    status: RecordStatus
    kind: ChannelKind
    name: str = Field(min_length=1, max_length=200)
    enabled: bool = True
    destination: str
    routes: tuple[Route, ...] = Field(default=(), max_length=20)
    created_at: datetime
    updated_at: datetime


class WorkspaceSettings(Event):
    """One version of what a workspace sets for all its hosts. Roots are PEM."""

    type_name: ClassVar[str] = "workspace-settings"

    workspace_id: UUID
    version: int = Field(ge=1)
    name: str
    private_roots: tuple[str, ...] = ()
    pools: tuple[str, ...] = ("public",)
