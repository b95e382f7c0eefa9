"""Which hosts a change of the configuration concerns. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.alerter.state import HostAlerts, HostFacts
from vigilo.alerting import threshold
from vigilo.alerting.config import RuleSet
from vigilo.alerting.judging import begins
from vigilo.alerting.lifecycle import AlertState, Phase, remind_at
from vigilo.alerting.scope import in_scope
from vigilo.alerting.view import View
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import AlertRule


def must_judge(row: HostAlerts, facts: Callable[[], HostFacts | None], rules: RuleSet, *, at: datetime) -> bool:
    """True if the row is behind, and judging it at `at` would begin an alert, needs an earlier timer, or may end one.

    A host that is left out would have said nothing, and says the same later as if it had been judged now: no alert of
    it lives by a rule that changed, no rule that changed is true, and the next instant at which one may become true is
    not before its timer. `facts` is asked only if the row itself does not answer. A host without record, paused or
    deleted is judged when its record arrives.
    """
    if row.status is not HostStatus.ACTIVE or row.workspace_id is None:
        return False
    if _holds_state(row, rules):
        return True
    changed = rules.changed_since(row.workspace_id, row.rules_version)
    if not changed:
        return False
    known = facts()
    if known is None or known.host is None:
        return False
    view = View(known.host, known.usable, row.course)
    return any(in_scope(rule, view.host) and _begins(rule, view, row.due, at) for rule in changed)


def _begins(rule: AlertRule, view: View, due: datetime | None, at: datetime) -> bool:
    """True if the rule is true at the host, or may become so before the host's timer brings the next look at it."""
    if begins(rule, view, at):
        return True
    next_change = threshold.next_change(rule.trigger, view, at)
    return next_change is not None and (due is None or next_change < due)


def _holds_state(row: HostAlerts, rules: RuleSet) -> bool:
    """Alerts of rules that changed or are gone; those that wait for the end of a snooze also when a snooze changed."""
    for rule_id, state in row.alerts.items():
        if not state.alive or rule_id in rules.unreadable:
            continue
        placed = rules.rules.get(rule_id)
        if placed is None or placed.offset >= row.rules_version:
            return True
        waits = _waits(state, placed.record)
        if waits and rules.snoozes_changed_since(row.workspace_id, row.snoozes_version):
            return True
    return False


def _waits(state: AlertState, rule: AlertRule) -> bool:
    return state.phase is Phase.SUPPRESSED or remind_at(state, rule) is not None
