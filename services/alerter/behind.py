"""Which hosts a change of the configuration concerns. Pure."""

from __future__ import annotations

from collections.abc import Callable

from services.alerter.state import HostAlerts, HostFacts
from vigilo.alerting.config import RuleSet
from vigilo.alerting.lifecycle import Phase
from vigilo.alerting.scope import in_scope
from vigilo.events.hosts import HostStatus


def must_judge(row: HostAlerts, facts: Callable[[], HostFacts | None], rules: RuleSet) -> bool:
    """True if the row is behind *and* holds state for, or is in scope of, what changed since it was judged.

    `facts` is asked only if the row itself does not answer. A host without record, paused or deleted is judged when its
    record arrives.
    """
    if row.status is not HostStatus.ACTIVE or row.workspace_id is None:
        return False
    if _holds_state(row, rules):
        return True
    changed = rules.changed_since(row.workspace_id, row.rules_version)
    if not changed:
        return False
    known = facts()
    return known is not None and known.host is not None and any(in_scope(rule, known.host) for rule in changed)


def _holds_state(row: HostAlerts, rules: RuleSet) -> bool:
    """Alerts of rules that changed or are gone; suppressed ones also when a snooze changed."""
    for rule_id, state in row.alerts.items():
        if not state.alive or rule_id in rules.unreadable:
            continue
        placed = rules.rules.get(rule_id)
        if placed is None or placed.offset >= row.rules_version:
            return True
        if state.phase is Phase.SUPPRESSED and rules.snoozes_changed_since(row.workspace_id, row.snoozes_version):
            return True
    return False
