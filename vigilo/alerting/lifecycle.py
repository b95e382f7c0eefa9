"""The life of one alert: one rule at one host. `decide` says what happens, `evolve` is the only thing that changes.

closed -> pending -> open -> closed        pending: true, but not yet often enough
             |        ^                    suppressed: it would be open, but the host, rule or tag is snoozed;
             +-> suppressed -> closed      it opens once the snooze has ended if it is still true
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from vigilo.alerting.judgement import Judgement
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import AlertRule


class Phase(StrEnum):
    """Where an alert is in its life."""

    CLOSED = "closed"
    PENDING = "pending"
    OPEN = "open"
    SUPPRESSED = "suppressed"


class AlertState(BaseModel):
    """One rule at one host. `episode` counts its alerts; the rest is of the present one.

    `count`: consecutive true judgements while pending, false ones while open or suppressed. `n`: transitions so far.
    `opened_at`: when it became open, before that when it began.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    phase: Phase = Phase.CLOSED
    episode: int = 0
    count: int = 0
    alert_id: UUID | None = None
    n: int = 0
    opened_at: datetime | None = None

    @property
    def alive(self) -> bool:
        """True unless closed."""
        return self.phase is not Phase.CLOSED


CLOSED = AlertState()

_PHASES = {
    TransitionKind.PENDING: Phase.PENDING,
    TransitionKind.OPENED: Phase.OPEN,
    TransitionKind.SUPPRESSED: Phase.SUPPRESSED,
}


def counted(state: AlertState, judgement: Judgement, *, fresh: bool) -> AlertState:
    """The state with one more judgement counted. Only a new report card is `fresh`: seen twice it counts once."""
    if judgement is Judgement.UNKNOWN:
        return state
    for_change = judgement is (Judgement.FALSE if state.phase in {Phase.OPEN, Phase.SUPPRESSED} else Judgement.TRUE)
    count = (state.count + 1 if fresh else max(state.count, 1)) if for_change else 0
    return state if count == state.count else state.model_copy(update={"count": count})


def decide(state: AlertState, judgement: Judgement, rule: AlertRule, *, snoozed: bool) -> TransitionKind | None:
    """What a judgement, already counted, does to the alert; None for nothing."""
    match judgement:
        case Judgement.TRUE:
            return _if_true(state, rule, TransitionKind.SUPPRESSED if snoozed else TransitionKind.OPENED)
        case Judgement.FALSE:
            return _if_false(state, rule)
        case Judgement.UNKNOWN:
            return None


def _if_true(state: AlertState, rule: AlertRule, opening: TransitionKind) -> TransitionKind | None:
    match state.phase:
        case Phase.OPEN:
            return None
        case Phase.SUPPRESSED:
            return opening if opening is TransitionKind.OPENED else None
        case Phase.CLOSED | Phase.PENDING if state.count >= rule.open_after:
            return opening
        case Phase.CLOSED:
            return TransitionKind.PENDING
        case _:
            return None


def _if_false(state: AlertState, rule: AlertRule) -> TransitionKind | None:
    closes = state.phase is Phase.PENDING or (state.alive and state.count >= rule.close_after)
    return TransitionKind.CLOSED if closes else None


def evolve(state: AlertState, kind: TransitionKind, *, alert_id: UUID, at: datetime) -> AlertState:
    """The state after a transition. `alert_id` counts only if an alert begins with it."""
    if kind is TransitionKind.CLOSED:
        return AlertState(episode=state.episode)
    if kind is TransitionKind.ACKNOWLEDGED:
        return state.model_copy(update={"n": state.n + 1})
    begins = not state.alive
    return AlertState(
        phase=_PHASES[kind],
        episode=state.episode + begins,
        count=state.count if kind is TransitionKind.PENDING else 0,
        alert_id=alert_id if begins else state.alert_id,
        n=1 if begins else state.n + 1,
        opened_at=at,
    )
