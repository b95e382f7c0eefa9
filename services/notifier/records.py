"""Rows of the ledger as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import TRAITS, Traits
from services.notifier.circuit import Circuit
from services.notifier.delivery import Attempt
from services.notifier.tellings import Telling, TransitionTelling
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition
from vigilo.events.deliveries import Delivery, DeliveryStatus
from vigilo.events.rules import ChannelKind

WAITING = "waiting"
OPEN_STATES = (WAITING, DeliveryStatus.RETRYING.value)
# What a row's kind is when it is no transition.
TEST, MESSAGE, DIGEST = "test", "message", "digest"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to enter into the ledger."""

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    kind: str
    telling: Telling
    told_at: datetime
    alert_id: UUID | None = None
    transition_id: UUID | None = None
    host_id: UUID | None = None
    rule_id: UUID | None = None
    cause: str | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as decisions see it. `status` is a DeliveryStatus, or waiting: entered and never tried.

    `maybe_received`: an attempt was not certainly refused. `step`: how much of its schedule is used up.
    `claimed_until`: a request may be under way until then. `asked_again`: a person wants it once more.
    """

    delivery_id: UUID
    workspace_id: UUID
    channel_id: UUID
    alert_id: UUID | None
    transition_id: UUID | None
    host_id: UUID | None
    rule_id: UUID | None
    n: int
    kind: str
    cause: str | None
    status: str
    position: int
    entered_at: datetime
    attempt: int = 0
    step: int = 0
    maybe_received: bool = False
    asked_again: bool = False
    digest_id: UUID | None = None
    next_attempt_at: datetime | None = None
    claimed_until: datetime | None = None
    error_class: str | None = None

    @property
    def unfinished(self) -> bool:
        """True until it is delivered, failed or superseded."""
        return self.status in OPEN_STATES

    @property
    def carried(self) -> bool:
        """True while a digest tells it."""
        return self.digest_id is not None and self.unfinished

    @property
    def unsent(self) -> bool:
        """True if nobody can have received it, and nothing is under way that could bring it."""
        return self.unfinished and not self.maybe_received and not self.carried

    def under_way(self, at: datetime) -> bool:
        """True while a request of it may be at the receiver."""
        return self.unfinished and self.claimed_until is not None and self.claimed_until > at

    def due(self, at: datetime) -> bool:
        """True if its own schedule lets it be sent."""
        return self.next_attempt_at is not None and self.next_attempt_at <= at

    def event(
        self,
        status: DeliveryStatus,
        *,
        at: datetime,
        attempt: int | None = None,
        outcome: Attempt | None = None,
        error_class: str | None = None,
        next_attempt_at: datetime | None = None,
        digest_id: UUID | None = None,
    ) -> Delivery:
        """What the world is told of it."""
        return Delivery(
            delivery_id=self.delivery_id,
            workspace_id=self.workspace_id,
            channel_id=self.channel_id,
            transition_id=self.transition_id,
            alert_id=self.alert_id,
            host_id=self.host_id,
            digest_id=digest_id or self.digest_id,
            status=status,
            attempt=self.attempt if attempt is None else attempt,
            http_status=None if outcome is None else outcome.http_status,
            error_class=error_class or (None if outcome is None else outcome.error_class),
            duration_ms=None if outcome is None else outcome.duration_ms,
            next_attempt_at=next_attempt_at,
            at=at,
        )


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel as decisions see it. `closed` says why nothing is sent to it; None if it is in use.

    `told_failing`: the `failing_since` of which other channels were told.
    """

    channel_id: UUID
    workspace_id: UUID
    kind: ChannelKind
    name: str
    closed: str | None
    bucket: Bucket
    circuit: Circuit
    told_failing: datetime | None = None

    @property
    def traits(self) -> Traits:
        """How its kind differs from others."""
        return TRAITS[self.kind]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery taken for one attempt, already counted and committed: `row` is as it was before.

    `due_at` is when its own schedule wanted the attempt; a `probe` may leave sooner. The
    claim runs out at `until`. `key_id` and `sealed` (ciphertext)
    are None when the channel has no secret any more.
    """

    row: Row
    kind: ChannelKind
    telling: Telling
    attempt: int
    due_at: datetime
    probe: bool
    until: datetime
    key_id: str | None = None
    sealed: bytes | None = None

    @property
    def delivery_id(self) -> UUID:
        """Which delivery; for a digest the digest's own."""
        return self.row.delivery_id


def delivery_of(transition: AlertTransition, channel_id: UUID) -> NewDelivery:
    """The one delivery of this transition on this channel."""
    return NewDelivery(
        delivery_id=ids.delivery_id(transition.transition_id, channel_id),
        workspace_id=transition.workspace_id,
        channel_id=channel_id,
        kind=transition.kind.value,
        telling=TransitionTelling(transition=transition),
        told_at=transition.at,
        alert_id=transition.alert_id,
        transition_id=transition.transition_id,
        host_id=transition.host_id,
        rule_id=transition.rule.rule_id,
        cause=transition.cause,
        n=transition.n,
    )
