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
    """The state of a delivery after an attempt (or instead of one). Never headers or bodies.

    `digest_id`: it went out together with others, in the message of that delivery.
    """

    type_name: ClassVar[str] = "delivery"

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    transition_id: UUID | None = None
    alert_id: UUID | None = None
    host_id: UUID | None = None
    digest_id: UUID | None = None
    status: DeliveryStatus
    attempt: int = Field(ge=0)
    http_status: int | None = None
    error_class: str | None = None
    duration_ms: int | None = Field(default=None, ge=0)
    next_attempt_at: datetime | None = None
    at: datetime


class DeliveryCommandKind(StrEnum):
    """What can be asked of a channel. `notice`: tell it something that is no alert (a pool without a network)."""

    TEST = "test"
    REDELIVER = "redeliver"
    NOTICE = "notice"


class DeliveryCommand(Event):
    """Send a test message, a notice, or deliveries again: one, or those of a span of time that have such a status.

    A span is of the transitions' instants, `since` included, `until` not.
    """

    type_name: ClassVar[str] = "delivery-command"

    command_id: UUID
    workspace_id: UUID
    channel_id: UUID
    kind: DeliveryCommandKind
    delivery_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    statuses: tuple[DeliveryStatus, ...] = ()
    title: str | None = Field(default=None, max_length=200)
    text: str | None = Field(default=None, max_length=2_000)
    by: str
    at: datetime
