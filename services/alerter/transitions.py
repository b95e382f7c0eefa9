"""A transition as an event: everything a message needs, and what decided it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerter.state import HostAlerts, HostFacts
from vigilo.alerting import messages
from vigilo.alerting.config import RuleSet
from vigilo.alerting.judging import Change
from vigilo.alerting.lifecycle import Phase
from vigilo.alerting.view import View
from vigilo.events import ids
from vigilo.events.alerts import (
    AlertFacts,
    AlertHost,
    AlertRuleRef,
    AlertTransition,
    DecidedBy,
    TransitionKind,
)
from vigilo.events.cards import CertificateChange
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import CertificateChanged, ChainValidationFails, ExpiresInLessThan, GradeBelow
from vigilo.ports.processing import Input

ALERTS = "alerts"
RULEBOOK = "rulebook"
# Triggers whose answer is the graders' judgement, not something the host showed.
GRADED = (GradeBelow, ChainValidationFails)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all transitions of one decision.

    `cause`: scan, time, host, rule, command or change. `regraded`: the card shows the chain of the card before it,
    judged by another rulebook or trust store. `change`: the one that notices tell of.
    """

    row: HostAlerts
    facts: HostFacts
    host: Host
    given: Input
    rules: RuleSet
    cause: str
    at: datetime
    regraded: bool = False
    change: CertificateChange | None = None

    @property
    def view(self) -> View:
        """What triggers look at."""
        return View(self.host, self.facts.usable, self.row.course)


def transition(change: Change, rule: AlertRule, around: Circumstances) -> OutgoingEvent:
    """The event of one change; its id is derived from the alert and its number."""
    alive = change.after if change.after.alive else change.before
    alert_id = _present(alive.alert_id)
    n = change.after.n if change.after.alive else change.before.n + 1
    summary, facts = _told(change, rule, around)
    suppressed = change.after.phase is Phase.SUPPRESSED
    event = AlertTransition(
        transition_id=ids.transition_id(alert_id, n),
        alert_id=alert_id,
        n=n,
        episode=alive.episode,
        kind=change.kind,
        workspace_id=around.host.workspace_id,
        host=_host(around.host),
        rule=_rule(rule),
        summary=summary,
        facts=facts,
        close_reason=change.reason,
        opened_at=alive.opened_at or around.at,
        at=around.at,
        note=change.note,
        by=change.by,
        cause=(alive.cause if change.kind is TransitionKind.OPENED else None) or cause_of(rule, around),
        scans_to_confirm=change.scans_to_confirm,
        snoozed_until=around.rules.snoozed_until(rule, around.host, around.at) if suppressed else None,
        help=messages.help_anchor(rule, around.view),
        decided_by=_decided_by(around),
    )
    traceparent = around.given.record.header("traceparent")
    return OutgoingEvent(ALERTS, str(around.host.host_id), event.transition_id, event, around.at, traceparent)


def cause_of(rule: AlertRule, around: Circumstances) -> str:
    """What moved the alert: the input, or `rulebook` where only those who judge the chain have changed."""
    return RULEBOOK if around.regraded and isinstance(rule.trigger, GRADED) else around.cause


def _told(change: Change, rule: AlertRule, around: Circumstances) -> tuple[str, AlertFacts]:
    view, noticed = around.view, around.change
    if noticed is not None and isinstance(rule.trigger, CertificateChanged):
        return messages.notice_summary(view, noticed), messages.notice_facts(view, noticed, at=around.at)
    summary = messages.summary(change.kind, rule, view, at=around.at, reason=change.reason)
    return summary, _facts(rule, around)


def _present(alert_id: UUID | None) -> UUID:
    if alert_id is None:
        raise LookupError("a transition needs an alert")
    return alert_id


def _host(host: Host) -> AlertHost:
    return AlertHost(
        host_id=host.host_id,
        hostname=host.hostname,
        port=host.port,
        version=host.version,
        tags=host.tags,
        owner=host.owner,
        runbook_url=host.runbook_url,
    )


def _rule(rule: AlertRule) -> AlertRuleRef:
    return AlertRuleRef(
        rule_id=rule.rule_id,
        version=rule.version,
        name=rule.name,
        trigger=rule.trigger,
        severity=rule.severity,
        channels=rule.channels,
        runbook_url=rule.runbook_url,
    )


def _facts(rule: AlertRule, around: Circumstances) -> AlertFacts:
    # Expiry is judged from the last certificate seen, whatever came after; the rest from the last scan.
    scan = around.row.seen if isinstance(rule.trigger, ExpiresInLessThan) else around.row.card
    known = around.facts.usable
    fields: dict[str, Any] = {}
    if scan is not None and known is not None:
        fields = {"scan_id": scan.scan_id, "scanned_at": scan.requested_at}
    return messages.facts(rule, around.view, at=around.at, scan=AlertFacts(**fields))


def _decided_by(around: Circumstances) -> DecidedBy:
    record = around.given.record
    return DecidedBy(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        ce_id=around.given.ce_id,
        config_version=dict(around.rules.versions),
        at=around.at,
    )
