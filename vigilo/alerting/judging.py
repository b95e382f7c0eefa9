"""One rule at one host, one judgement: for the live alerter and for previews alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vigilo.alerting import lifecycle, threshold
from vigilo.alerting.lifecycle import AlertState
from vigilo.alerting.view import View
from vigilo.events import ids
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.rules import AlertRule


@dataclass(frozen=True, slots=True)
class Change:
    """One transition decided: the alert before and after it."""

    kind: TransitionKind
    before: AlertState
    after: AlertState
    reason: CloseReason | None = None
    note: str | None = None
    by: str | None = None


def step(
    before: AlertState, rule: AlertRule, view: View, at: datetime, *, cause_id: str, fresh: bool, snoozed: bool
) -> tuple[AlertState, Change | None]:
    """The alert after one more judgement, and what happened.

    `cause_id` is the `ce_id` of the input being applied: it is applied once, so no alert id comes twice. `fresh`: by a
    card not judged before, so it counts for confirmation.
    """
    judgement = threshold.judge(rule.trigger, view, at)
    state = lifecycle.counted(before, judgement, fresh=fresh)
    kind = lifecycle.decide(state, judgement, rule, snoozed=snoozed)
    if kind is None:
        return state, None
    alert_id = ids.alert_id(rule.rule_id, view.host.host_id, cause_id)
    after = lifecycle.evolve(state, kind, alert_id=alert_id, at=at)
    reason = CloseReason.CLEARED if kind is TransitionKind.CLOSED else None
    return after, Change(kind, before, after, reason)
