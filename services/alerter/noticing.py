"""Notices: what is told once, for there is no state that could hold or be over. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from services.alerter.judging import Judged
from services.alerter.transitions import Circumstances, transition
from vigilo.alerting import lifecycle
from vigilo.alerting.judging import Change
from vigilo.alerting.lifecycle import CLOSED, AlertState, Phase
from vigilo.alerting.scope import in_scope
from vigilo.alerting.triggers.certificate_changed import notices
from vigilo.events import ids
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import CertificateChange
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import CertificateChanged


def notice(judged: Judged, change: CertificateChange, around: Circumstances) -> Judged:
    """What was judged, and a notice for every rule that tells of the change. `around.change` is the change.

    A rule does not tell of what was before it: the topic holds the changes of a year.
    """
    alerts = dict(judged.alerts)
    outputs: list[OutgoingEvent] = list(judged.outputs)
    for rule in _telling(change, around):
        alert_id = ids.alert_id(rule.rule_id, around.host.host_id, around.given.ce_id)
        before = alerts.get(rule.rule_id, CLOSED)
        snoozed = around.rules.snoozed_until(rule, around.host, around.at) is not None
        for one in _suppressed(before, alert_id, around) if snoozed else _told(before, alert_id, around):
            alerts[rule.rule_id] = one.after
            outputs.append(transition(one, rule, around))
    return replace(judged, alerts=alerts, outputs=tuple(outputs))


def _telling(change: CertificateChange, around: Circumstances) -> Iterator[AlertRule]:
    for rule in around.rules.rules_of(around.host.workspace_id):
        asked = rule.trigger
        if not isinstance(asked, CertificateChanged) or change.requested_at < rule.created_at:
            continue
        if in_scope(rule, around.host) and notices(asked, change):
            yield rule


def _told(before: AlertState, alert_id: UUID, around: Circumstances) -> Iterator[Change]:
    """One transition: it opens and closes in one."""
    after = lifecycle.evolve(before, TransitionKind.NOTICE, alert_id=alert_id, at=around.at)
    told = AlertState(phase=Phase.OPEN, episode=after.episode, alert_id=alert_id, opened_at=around.at)
    yield Change(TransitionKind.NOTICE, told, after)


def _suppressed(before: AlertState, alert_id: UUID, around: Circumstances) -> Iterator[Change]:
    """Two: history knows of it, nobody is told. When the snooze ends, nothing is left that could still be true."""
    held = lifecycle.evolve(before, TransitionKind.SUPPRESSED, alert_id=alert_id, at=around.at)
    yield Change(TransitionKind.SUPPRESSED, before, held)
    after = lifecycle.evolve(held, TransitionKind.CLOSED, alert_id=alert_id, at=around.at)
    yield Change(TransitionKind.CLOSED, held, after, CloseReason.CLEARED)
