"""Events around the core: work items of other systems, audit entries, wakeups."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from vigilo.events.envelope import Event
from vigilo.events.rules import RecordStatus


class WorkItem(Event):
    """A change, incident or asset that belongs to hosts; written by us or by an outside system."""

    type_name: ClassVar[str] = "work-item"

    item_id: UUID
    workspace_id: UUID
    version: int = Field(ge=1)
    status: RecordStatus
    kind: str = Field(pattern="^(change|incident|asset|other)$")
    title: str = Field(max_length=300)
    url: str | None = None
    state: str | None = None
    host_ids: tuple[UUID, ...] = ()
    updated_at: datetime


class AuditEntry(Event):
    """One entry of a workspace's audit chain: the table is the source, this is a copy. Hashes are hex SHA-256."""

    type_name: ClassVar[str] = "audit-entry"

    workspace_id: UUID
    sequence: int = Field(ge=1)
    at: datetime
    actor: str
    action: str
    subject: str
    origin: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    previous_hash: str
    hash: str


class SchedulerWakeup(Event):
    """The scheduler's own timer, come back as an input of its stream."""

    type_name: ClassVar[str] = "scheduler-wakeup"

    host_id: UUID
    due: datetime


class AlerterWakeup(Event):
    """The alerter's own timer, or news of the configuration, come back as an input of its stream."""

    type_name: ClassVar[str] = "alerter-wakeup"

    host_id: UUID
    due: datetime
    reason: str = "timer"
