"""Deliveries: what became of a transition on one channel, and commands to the notifier."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from vigilo.events.envelope import Event


class DeliveryStatus(StrEnum):
    """`retrying` will be tried again; the others are final."""

    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class Delivery(Event):
    """The state of a delivery after an attempt (or instead of one). Never headers or bodies."""

    type_name: ClassVar[str] = "delivery"

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    transition_id: UUID | None = None
    alert_id: UUID | None = None
    host_id: UUID | None = None
    status: DeliveryStatus
    attempt: int = Field(ge=0)
    http_status: int | None = None
    error_class: str | None = None
    duration_ms: int | None = Field(default=None, ge=0)
    next_attempt_at: datetime | None = None
    at: datetime


class DeliveryCommandKind(StrEnum):
    """What a person can ask of a channel."""

    TEST = "test"
    REDELIVER = "redeliver"


class DeliveryCommand(Event):
    """Send a test message, or one delivery again."""

    type_name: ClassVar[str] = "delivery-command"

    command_id: UUID
    workspace_id: UUID
    channel_id: UUID
    kind: DeliveryCommandKind
    delivery_id: UUID | None = None
    by: str
    at: datetime
