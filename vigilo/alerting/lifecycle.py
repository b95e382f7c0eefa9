"""The life of one alert: one rule at one host. `decide` says what happens, `evolve` is the only thing that changes.

closed -> pending -> open -> closed        pending: true, but not yet often enough
             |        ^                    suppressed: it would be open, but the host, rule or tag is snoozed;
             +-> suppressed -> closed      it opens once the snooze has ended if it is still true

An open alert may be clearing (the first of several answers that must say "no"), be acknowledged, and be told again by
reminders; it stays open through all of that, and when a snooze begins: it was told already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from vigilo.alerting.judgement import Judgement
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import AlertRule

# Bytes of UTF-8 that an acknowledgement keeps in the row; the transition has the whole note.
_NOTE_BYTES = 300
_BY_BYTES = 120


class Phase(StrEnum):
    """Where an alert is in its life."""

    CLOSED = "closed"
    PENDING = "pending"
    OPEN = "open"
    SUPPRESSED = "suppressed"


class Acknowledgement(BaseModel):
    """Who has seen the alert, when, and what they said of it; long texts are cut."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: datetime
    by: str
    note: str | None = None

    @classmethod
    def of(cls, *, at: datetime, by: str, note: str | None) -> Acknowledgement:
        """As it is kept in the row."""
        return cls(at=at, by=_cut(by, _BY_BYTES), note=None if note is None else _cut(note, _NOTE_BYTES))


def _cut(text: str, size: int) -> str:
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")


class AlertState(BaseModel):
    """One rule at one host. `episode` counts its alerts; the rest is of the present one.

    `count`: consecutive true judgements while pending, false ones while open or suppressed; `asked`: the question they
    answered (`question_mark`), None where nothing is counted. `n`: transitions so far. `opened_at`: when it became
    open, before that when it began. `cause`: what it began with. `reminded_at`: the last reminder.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    phase: Phase = Phase.CLOSED
    episode: int = 0
    count: int = 0
    asked: int | None = None
    alert_id: UUID | None = None
    n: int = 0
    opened_at: datetime | None = None
    cause: str | None = None
    acknowledged: Acknowledgement | None = None
    reminded_at: datetime | None = None

    @property
    def alive(self) -> bool:
        """True unless closed."""
        return self.phase is not Phase.CLOSED

    @property
    def clearing(self) -> bool:
        """True while an open or suppressed alert has begun to count answers that say "no"."""
        return self.count > 0 and self.phase in UP


CLOSED = AlertState()

UP = frozenset({Phase.OPEN, Phase.SUPPRESSED})
_PHASES = {
    TransitionKind.PENDING: Phase.PENDING,
    TransitionKind.OPENED: Phase.OPEN,
    TransitionKind.SUPPRESSED: Phase.SUPPRESSED,
}


def counted(state: AlertState, judgement: Judgement, *, fresh: bool, asked: int | None = None) -> AlertState:
    """The state with one more judgement counted. Only a new report card is `fresh`: seen twice it counts once.

    Answers to another question than `asked` do not count: the count begins anew.
    """
    if judgement is Judgement.UNKNOWN:
        return state
    for_change = judgement is (Judgement.FALSE if state.phase in UP else Judgement.TRUE)
    if not for_change:
        return state if state.count == 0 else state.model_copy(update={"count": 0, "asked": None})
    so_far = state.count if state.asked == asked else 0
    count = so_far + 1 if fresh else max(so_far, 1)
    if (count, asked) == (state.count, state.asked):
        return state
    return state.model_copy(update={"count": count, "asked": asked})


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


def begins_to_clear(before: AlertState, after: AlertState) -> bool:
    """True if the count of an open alert began with this judgement, or began anew: scans are asked for to finish it."""
    if after.phase is not Phase.OPEN or not after.clearing:
        return False
    return not before.clearing or after.asked != before.asked


def scans_to_confirm(state: AlertState, kind: TransitionKind, rule: AlertRule) -> int:
    """So many more scans with the same answer, and the alert opens (`pending`) or closes (`clearing`)."""
    match kind:
        case TransitionKind.PENDING:
            return max(0, rule.open_after - state.count)
        case TransitionKind.CLEARING:
            return max(0, rule.close_after - state.count)
        case _:
            return 0


def remind_at(state: AlertState, rule: AlertRule) -> datetime | None:
    """When the open alert is to be told again, snoozes aside; None for never.

    Nobody is reminded of what somebody has acknowledged, nor of what seems to be over: that waits for the next answer.
    """
    told_at = state.reminded_at or state.opened_at
    if state.phase is not Phase.OPEN or rule.remind_every_minutes is None or told_at is None:
        return None
    if state.acknowledged is not None or state.clearing:
        return None
    return told_at + timedelta(minutes=rule.remind_every_minutes)


def evolve(
    state: AlertState,
    kind: TransitionKind,
    *,
    alert_id: UUID,
    at: datetime,
    acknowledged: Acknowledgement | None = None,
) -> AlertState:
    """The state after a transition. `alert_id` counts only if an alert begins with it."""
    match kind:
        case TransitionKind.CLOSED:
            return AlertState(episode=state.episode)
        case TransitionKind.ACKNOWLEDGED:
            return state.model_copy(update={"n": state.n + 1, "acknowledged": acknowledged})
        case TransitionKind.CLEARING:
            return state.model_copy(update={"n": state.n + 1})
        case TransitionKind.REMINDER:
            return state.model_copy(update={"n": state.n + 1, "reminded_at": at})
        case TransitionKind.NOTICE:
            return AlertState(episode=state.episode + 1)
        case _:
            return _begun(state, kind, alert_id=alert_id, at=at)


def _begun(state: AlertState, kind: TransitionKind, *, alert_id: UUID, at: datetime) -> AlertState:
    begins = not state.alive
    confirming = kind is TransitionKind.PENDING
    return AlertState(
        phase=_PHASES[kind],
        episode=state.episode + begins,
        count=state.count if confirming else 0,
        asked=state.asked if confirming else None,
        alert_id=alert_id if begins else state.alert_id,
        n=1 if begins else state.n + 1,
        opened_at=at,
        cause=state.cause,
        acknowledged=state.acknowledged,
    )
