"""Rows of the ledger as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from vigilo.events import ids
from vigilo.events.alerts import AlertTransition
from vigilo.events.deliveries import Delivery, DeliveryStatus


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to enter into the ledger. `message` is the body to send."""

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    alert_id: UUID | None
    transition_id: UUID | None
    host_id: UUID | None
    n: int
    kind: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery taken for one attempt; the attempt is already counted and committed.

    `sealed` (ciphertext) and `key_id` are None when the channel has no secret any more; `maybe_received` tells of the
    attempts before this one.
    """

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    alert_id: UUID | None
    transition_id: UUID | None
    host_id: UUID | None
    attempt: int
    maybe_received: bool
    message: dict[str, Any]
    channel_open: bool
    key_id: str | None
    sealed: bytes | None

    def event(
        self,
        status: DeliveryStatus,
        *,
        at: datetime,
        http_status: int | None = None,
        error_class: str | None = None,
        duration_ms: int | None = None,
        next_attempt_at: datetime | None = None,
    ) -> Delivery:
        """What the world is told of this attempt."""
        return Delivery(
            delivery_id=self.delivery_id,
            workspace_id=self.workspace_id,
            channel_id=self.channel_id,
            transition_id=self.transition_id,
            alert_id=self.alert_id,
            host_id=self.host_id,
            status=status,
            attempt=self.attempt,
            http_status=http_status,
            error_class=error_class,
            duration_ms=duration_ms,
            next_attempt_at=next_attempt_at,
            at=at,
        )


def delivery_of(transition: AlertTransition, channel_id: UUID, message: dict[str, Any]) -> NewDelivery:
    """The one delivery of this transition on this channel."""
    return NewDelivery(
        delivery_id=ids.delivery_id(transition.transition_id, channel_id),
        workspace_id=transition.workspace_id,
        channel_id=channel_id,
        alert_id=transition.alert_id,
        transition_id=transition.transition_id,
        host_id=transition.host_id,
        n=transition.n,
        kind=transition.kind.value,
        message=message,
    )
