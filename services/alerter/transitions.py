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
from vigilo.alerting.view import View
from vigilo.events import ids
from vigilo.events.alerts import (
    AlertFacts,
    AlertHost,
    AlertRuleRef,
    AlertTransition,
    DecidedBy,
)
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import ExpiresInLessThan
from vigilo.ports.processing import Input

ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for all transitions of one decision. `cause`: scan, time, host, rule or command."""

    row: HostAlerts
    facts: HostFacts
    host: Host
    given: Input
    rules: RuleSet
    cause: str
    at: datetime

    @property
    def view(self) -> View:
        """What triggers look at."""
        return View(self.host, self.facts.usable, self.row.course)


def transition(change: Change, rule: AlertRule, around: Circumstances) -> OutgoingEvent:
    """The event of one change; its id is derived from the alert and its number."""
    alive = change.after if change.after.alive else change.before
    alert_id = _present(alive.alert_id)
    n = change.after.n if change.after.alive else change.before.n + 1
    event = AlertTransition(
        transition_id=ids.transition_id(alert_id, n),
        alert_id=alert_id,
        n=n,
        episode=alive.episode,
        kind=change.kind,
        workspace_id=around.host.workspace_id,
        host=_host(around.host),
        rule=_rule(rule),
        summary=messages.summary(change.kind, rule, around.view, at=around.at, reason=change.reason),
        facts=_facts(rule, around),
        close_reason=change.reason,
        opened_at=alive.opened_at or around.at,
        at=around.at,
        note=change.note,
        by=change.by,
        cause=around.cause,
        help=messages.help_anchor(rule, around.view),
        decided_by=_decided_by(around),
    )
    traceparent = around.given.record.header("traceparent")
    return OutgoingEvent(ALERTS, str(around.host.host_id), event.transition_id, event, around.at, traceparent)


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
