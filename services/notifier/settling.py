"""What an attempt changes: the delivery, and with health.py its channel. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.notifier.delivery import Answer, Attempt, Verdict, judge
from services.notifier.health import Health, health_after
from services.notifier.planning import Limits
from services.notifier.records import DIGEST, ChannelState, Claimed
from vigilo.events.deliveries import DeliveryStatus

_FINAL = frozenset({Answer.ACCEPTED, Answer.GONE, Answer.INVALID})


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger writes down after an attempt. `dissolves`: a digest that nobody got; its members wait for
    themselves again.
    """

    verdict: Verdict
    step: int
    health: Health
    dissolves: bool = False


def settle(channel: ChannelState, claimed: Claimed, attempt: Attempt, *, at: datetime, limits: Limits) -> Settled:
    """The outcome of an attempt, by the channel's state when it ended."""
    step = claimed.row.step + 1
    verdict = judge(
        attempt,
        number=step,
        delivery_id=claimed.delivery_id,
        maybe_received=claimed.row.maybe_received,
        at=at,
        delays=channel.traits.delays,
    )
    early = claimed.probe and claimed.due_at > at
    if early and verdict.next_attempt_at is None and attempt.answer not in _FINAL:
        verdict = replace(verdict, status=DeliveryStatus.RETRYING)
    if early and verdict.status is DeliveryStatus.RETRYING:
        # A probe before its time costs the delivery nothing of its own schedule.
        step, verdict = claimed.row.step, replace(verdict, next_attempt_at=claimed.due_at)
    nobody_has_it = verdict.status is DeliveryStatus.RETRYING and not verdict.maybe_received
    of_alert = claimed.row.alert_id is not None or claimed.row.kind == DIGEST
    return Settled(
        verdict=verdict,
        step=step,
        health=health_after(channel, attempt, probe=claimed.probe, of_alert=of_alert, at=at, limits=limits),
        dissolves=claimed.row.kind == DIGEST and nobody_has_it,
    )
