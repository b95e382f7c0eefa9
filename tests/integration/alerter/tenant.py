"""One workspace in a lab: hosts, rules and cards by short words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes import inputs
from tests.fakes.service_lab import Said, ServiceLab
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.hosts import Host, HostCommandKind
from vigilo.events.rules import AlertRule

ALERTS = "alerts"
DAY = timedelta(days=1)


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Tenant:
    """A fresh workspace; what it waits for is only its own."""

    def __init__(self, lab: ServiceLab) -> None:
        self.lab = lab
        self.workspace_id = ids.new_id()

    def host(self, *, of: Host | None = None, **changes: Any) -> Host:
        """Adds a host, or edits `of`."""
        fields: dict[str, Any] = (
            dict(of) if of else {"host_id": ids.new_id(), "workspace_id": self.workspace_id, "version": 0}
        )
        host = inputs.host(**{**fields, "version": fields["version"] + 1, "updated_at": now(), **changes})
        self.lab.write("hosts", host.host_id, host, ids.record_id(host.host_id, host.version))
        return host

    def rule(self, *, of: AlertRule | None = None, **changes: Any) -> AlertRule:
        """Makes a rule, or edits `of`."""
        fields: dict[str, Any] = (
            dict(of) if of else {"rule_id": ids.new_id(), "workspace_id": self.workspace_id, "version": 0}
        )
        rule = inputs.rule(**{**fields, "version": fields["version"] + 1, **changes})
        self.lab.write("alert-rules", rule.rule_id, rule, ids.record_id(rule.rule_id, rule.version))
        return rule

    def card(self, host: Host, *, days: float | None = 12, **changes: Any) -> ReportCard:
        """A report card of a scan just now: so many days left, or unreachable."""
        at = now()
        end = None if days is None else at + days * DAY
        scan_id = ids.caused_scan_id(host.host_id, at.isoformat())
        card = inputs.card(requested_at=at, not_after=end, target=host.target(), scan_id=scan_id, **changes)
        self.lab.write("report-cards", host.host_id, card, ids.report_card_id(scan_id))
        return card

    def change(self, host: Host, **changes: Any) -> CertificateChange:
        """The host serves another certificate, as of a scan just now."""
        at = now()
        scan_id = ids.caused_scan_id(host.host_id, at.isoformat())
        change = inputs.change(requested_at=at, target=host.target(), scan_id=scan_id, **changes)
        self.lab.write("certificate-changes", host.host_id, change, ids.certificate_change_id(host.host_id, scan_id))
        return change

    def acknowledge(self, alert: AlertTransition, note: str) -> None:
        """A person's acknowledgement."""
        command = inputs.scan_command(
            at=now(),
            host_id=alert.host_id,
            workspace_id=self.workspace_id,
            kind=HostCommandKind.ACKNOWLEDGE,
            alert_id=alert.alert_id,
            note=note,
        )
        self.lab.write("host-commands", alert.host_id, command, command.command_id)

    def said(self, count: int, *kinds: TransitionKind) -> list[Said[AlertTransition]]:
        """Waits for so many transitions of these kinds."""
        return self.lab.await_said(ALERTS, AlertTransition, count, where=lambda event: self._is_ours(event, kinds))

    def all_said(self) -> list[AlertTransition]:
        """Every transition so far."""
        return [one.event for one in self.lab.read(ALERTS, AlertTransition) if self._is_ours(one.event, ())]

    def _is_ours(self, event: AlertTransition, kinds: tuple[TransitionKind, ...]) -> bool:
        return event.workspace_id == self.workspace_id and (not kinds or event.kind in kinds)
