"""All rules at one host, at one instant: what opens, what closes, when to look again. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.alerter.transitions import Circumstances, cause_of, transition
from vigilo.alerting import lifecycle, threshold
from vigilo.alerting.config import RuleSet
from vigilo.alerting.judging import Change, begins, step
from vigilo.alerting.lifecycle import CLOSED, UP, Acknowledgement, AlertState, Phase, remind_at
from vigilo.alerting.scope import in_scope
from vigilo.alerting.view import View
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, Severity
from vigilo.events.triggers import ChainValidationFails


@dataclass(frozen=True, slots=True)
class Judged:
    """The alerts of the host as they become, what happened, and when time alone may change an answer."""

    alerts: dict[UUID, AlertState]
    outputs: tuple[OutgoingEvent, ...]
    due: datetime | None


def judge(around: Circumstances, *, fresh: bool) -> Judged:
    """Judges every rule that looks at the host. `fresh`: by a card not judged before, so it counts for confirmation."""
    host = around.host
    applicable = {rule.rule_id: rule for rule in around.rules.rules_of(host.workspace_id) if in_scope(rule, host)}
    view = around.view  # asked once: it is the same for every rule
    alerts = dict(around.row.alerts)
    outputs: list[OutgoingEvent] = []
    for rule_id in sorted(alerts.keys() - applicable.keys() - around.rules.unreadable):
        outputs += _leave(alerts, rule_id, around)
    for rule_id, rule in applicable.items():
        before = alerts.get(rule_id, CLOSED)
        if not before.alive and not begins(rule, view, around.at):
            continue  # by far the most frequent answer: nothing is asked of snoozes
        alerts[rule_id], change = _step(before, rule, view, around, fresh=fresh)
        if change is not None:
            outputs.append(transition(change, rule, around))
    return Judged(alerts, tuple(outputs), _due(alerts, applicable, view, around))


def close_all(around: Circumstances, reason: CloseReason) -> Judged:
    """Closes every alert of a host that is no longer watched; numbers of episodes are kept."""
    alerts = dict(around.row.alerts)
    outputs: list[OutgoingEvent] = []
    for rule_id in sorted(alerts):
        outputs += _close(alerts, rule_id, around, reason)
    return Judged(alerts, tuple(outputs), None)


def acknowledge(around: Circumstances, alert_id: UUID | None, *, note: str | None, by: str) -> Judged:
    """Says that somebody has seen an open (or suppressed) alert; nothing for one that is not open (any more).

    Another person, or another note, takes the place of the acknowledgement before.
    """
    alerts = dict(around.row.alerts)
    outputs: list[OutgoingEvent] = []
    kind, seen = TransitionKind.ACKNOWLEDGED, Acknowledgement.of(at=around.at, by=by, note=note)
    for rule_id, before in alerts.items():
        if alert_id is None or before.alert_id != alert_id or before.phase not in UP or _is_known(before, seen):
            continue
        after = lifecycle.evolve(before, kind, alert_id=alert_id, at=around.at, acknowledged=seen)
        alerts[rule_id] = after
        change = Change(kind, before, after, note=note, by=by)
        outputs.append(transition(change, rule_of(around.rules, rule_id, around), around))
    return Judged(alerts, tuple(outputs), around.row.due)


def _is_known(state: AlertState, seen: Acknowledgement) -> bool:
    """True if the same person has said the same already: a second click is no news."""
    last = state.acknowledged
    return last is not None and (last.by, last.note) == (seen.by, seen.note)


def _step(
    before: AlertState, rule: AlertRule, view: View, around: Circumstances, *, fresh: bool
) -> tuple[AlertState, Change | None]:
    snoozed = around.rules.snoozed_until(rule, around.host, around.at) is not None
    cause_id = around.given.ce_id
    after, change = step(before, rule, view, around.at, cause_id=cause_id, fresh=fresh, snoozed=snoozed)
    if change is None or before.alive or not after.alive:
        return after, change
    after = after.model_copy(update={"cause": cause_of(rule, around)})
    return after, replace(change, after=after)


def _leave(alerts: dict[UUID, AlertState], rule_id: UUID, around: Circumstances) -> list[OutgoingEvent]:
    """A rule looks at this host no more. A deleted rule never comes back, so nothing of it is kept."""
    rule = around.rules.rule(rule_id)
    deleted = rule is None or rule.status is RecordStatus.DELETED
    reason = CloseReason.LEFT_SCOPE
    if rule is None or deleted:
        reason = CloseReason.RULE_DELETED
    elif not rule.enabled:
        reason = CloseReason.RULE_DISABLED
    outputs = _close(alerts, rule_id, around, reason)
    if deleted:
        del alerts[rule_id]
    return outputs


def _close(
    alerts: dict[UUID, AlertState], rule_id: UUID, around: Circumstances, reason: CloseReason
) -> list[OutgoingEvent]:
    before = alerts[rule_id]
    if before.alert_id is None:
        return []
    after = lifecycle.evolve(before, TransitionKind.CLOSED, alert_id=before.alert_id, at=around.at)
    alerts[rule_id] = after
    change = Change(TransitionKind.CLOSED, before, after, reason)
    return [transition(change, rule_of(around.rules, rule_id, around), around)]


def rule_of(rules: RuleSet, rule_id: UUID, around: Circumstances) -> AlertRule:
    """The last record of a rule.

    Of a rule whose tombstone was compacted away before this host was judged again (we were down for its 30 days) only
    the id is left: its alert must still be closed.
    """
    rule = rules.rule(rule_id)
    if rule is not None:
        return rule
    return AlertRule(
        rule_id=rule_id,
        workspace_id=around.host.workspace_id,
        version=1,
        status=RecordStatus.DELETED,
        name="(deleted rule)",
        trigger=ChainValidationFails(),
        scope=AllHosts(),
        severity=Severity.INFO,
        created_at=around.at,
        updated_at=around.at,
    )


def _due(
    alerts: dict[UUID, AlertState],
    applicable: dict[UUID, AlertRule],
    view: View,
    around: Circumstances,
) -> datetime | None:
    return min(_instants(alerts, applicable, view, around), default=None)


def _instants(
    alerts: dict[UUID, AlertState],
    applicable: dict[UUID, AlertRule],
    view: View,
    around: Circumstances,
) -> Iterator[datetime]:
    for rule_id, rule in applicable.items():
        instant = threshold.next_change(rule.trigger, view, around.at)
        if instant is not None:
            yield instant
        state = alerts.get(rule_id)
        if state is not None and state.phase in UP:
            yield from _reminders(state, rule, around)


def _reminders(state: AlertState, rule: AlertRule, around: Circumstances) -> Iterator[datetime]:
    """When a suppressed alert opens, or an open one is told again: not before the end of a snooze."""
    due = remind_at(state, rule)
    end = around.rules.snoozed_until(rule, around.host, around.at)
    if state.phase is Phase.SUPPRESSED and end is not None:
        yield end
    if due is not None:
        yield due if end is None else max(due, end)
