"""One rule at one host, one judgement: for the live alerter and for previews alike."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

from vigilo.alerting import lifecycle, threshold
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.lifecycle import AlertState
from vigilo.alerting.view import View
from vigilo.events import ids
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Change:
    """One transition decided: the alert before and after it."""

    kind: TransitionKind
    before: AlertState
    after: AlertState
    reason: CloseReason | None = None
    note: str | None = None
    by: str | None = None
    scans_to_confirm: int = 0


def step(
    before: AlertState, rule: AlertRule, view: View, at: datetime, *, cause_id: str, fresh: bool, snoozed: bool
) -> tuple[AlertState, Change | None]:
    """The alert after one more judgement, and what happened.

    `cause_id` is the `ce_id` of the input being applied: it is applied once, so no alert id comes twice. `fresh`: by a
    card not judged before, so it counts for confirmation.
    """
    asked = threshold.question(rule.trigger)
    if not asked.applicable(rule.trigger, view):
        return _inapplicable(before, at)
    judgement = asked.judge(rule.trigger, view, at)
    if judgement is not Judgement.TRUE and not before.alive:
        return before, None  # by far the most frequent answer, and nothing is counted for it
    state = lifecycle.counted(before, judgement, fresh=fresh, asked=question_mark(rule.trigger))
    kind = lifecycle.decide(state, judgement, rule, snoozed=snoozed)
    if kind is None:
        kind = _meanwhile(before, state, rule, at, snoozed=snoozed)
    if kind is None:
        return state, None
    alert_id = ids.alert_id(rule.rule_id, view.host.host_id, cause_id)
    after = lifecycle.evolve(state, kind, alert_id=alert_id, at=at)
    reason = CloseReason.CLEARED if kind is TransitionKind.CLOSED else None
    confirming = lifecycle.scans_to_confirm(state, kind, rule)
    return after, Change(kind, before, after, reason, scans_to_confirm=confirming)


def begins(rule: AlertRule, view: View, at: datetime) -> bool:
    """True if a closed alert would begin by this judgement."""
    asked = threshold.question(rule.trigger)
    return asked.judge(rule.trigger, view, at) is Judgement.TRUE and asked.applicable(rule.trigger, view)


def _inapplicable(before: AlertState, at: datetime) -> tuple[AlertState, Change | None]:
    """The question has lost its sense: an alert that lives closes, whatever the counts."""
    if before.alert_id is None:
        return before, None
    after = lifecycle.evolve(before, TransitionKind.CLOSED, alert_id=before.alert_id, at=at)
    return after, Change(TransitionKind.CLOSED, before, after, CloseReason.NOT_APPLICABLE)


def _meanwhile(
    before: AlertState, state: AlertState, rule: AlertRule, at: datetime, *, snoozed: bool
) -> TransitionKind | None:
    """What is to be said of an alert that neither opens nor closes."""
    if lifecycle.begins_to_clear(before, state):
        return TransitionKind.CLEARING
    due = lifecycle.remind_at(state, rule)
    return TransitionKind.REMINDER if due is not None and at >= due and not snoozed else None


def question_mark(trigger: Trigger) -> int:
    """A short name of the question with its parameters, the same in every process; kept where answers are counted."""
    return zlib.crc32(trigger.model_dump_json().encode("utf-8"))
