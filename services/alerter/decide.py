"""What one input means for the alerts of one host. Pure, given the configuration as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.alerter.absence import excuse
from services.alerter.judging import Judged, acknowledge, close_all, judge
from services.alerter.noticing import notice
from services.alerter.regrading import mark, regraded
from services.alerter.state import HostAlerts, HostFacts, Order
from services.alerter.transitions import Circumstances
from vigilo.alerting.config import RULES_TOPIC, SNOOZES_TOPIC, RuleSet
from vigilo.alerting.knowledge import learn, learn_course, watch
from vigilo.events import ids
from vigilo.events.alerts import CloseReason
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.events.hosts import Host, HostCommand, HostCommandKind, HostStatus
from vigilo.events.records import AlerterWakeup
from vigilo.ports.belonging import misplaced
from vigilo.ports.processing import Decision, Input

SERVICE = "alerter"
HOSTS = "hosts"
WAKEUPS = "alerter-wakeups"
TIMER = "timer"
CONFIG = "config"
SIDE = "facts"


class Alerter:
    """The alerter's decisions (vigilo.ports.processing.Processor). `rules` gives the configuration of the moment."""

    service: str = SERVICE
    table: str = "alerts"
    inputs: Mapping[str, type[Event]] = MappingProxyType(
        {
            HOSTS: Host,
            "report-cards": ReportCard,
            "certificate-changes": CertificateChange,
            "host-commands": HostCommand,
            WAKEUPS: AlerterWakeup,
        }
    )
    state_model: type[HostAlerts] = HostAlerts
    side_models: Mapping[str, type[BaseModel]] = MappingProxyType({SIDE: HostFacts})
    wakeups_topic: str | None = WAKEUPS

    def __init__(self, rules: Callable[[], RuleSet]) -> None:
        self._rules = rules

    def decide(
        self, state: HostAlerts | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime
    ) -> Decision[HostAlerts]:
        """The decision for one input. Refused with the reasons of `misplaced`."""
        if refused := misplaced(given, workspace_id=state.workspace_id if state else None, removable_by=(HOSTS,)):
            return Decision(state, refused=refused)
        return Decision(None, side={SIDE: None}) if given.event is None else self._hear(state, side, given, at)

    def _hear(
        self, state: HostAlerts | None, side: Mapping[str, BaseModel], given: Input, at: datetime
    ) -> Decision[HostAlerts]:
        facts = side.get(SIDE)
        before = facts if isinstance(facts, HostFacts) else HostFacts()
        turn = _Turn(state or HostAlerts(), before, given, self._rules(), at)
        match given.event:
            case Host():
                return turn.host(given.event)
            case ReportCard():
                return turn.card(given.event)
            case CertificateChange() if state is not None:
                return turn.change(given.event)
            case HostCommand() if state is not None:
                return turn.command(given.event)
            case AlerterWakeup() if state is not None:
                return turn.wakeup(given.event)
        # Nothing is known of the host (any more): what was still under way makes no new row.
        return Decision(None)

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """The record this host's timer sends when `due` has come."""
        return wakeup(UUID(key), due=due, reason=TIMER)


def wakeup(host_id: UUID, *, due: datetime, reason: str, event_id: UUID | None = None) -> OutgoingEvent:
    """A wakeup of a host, by its timer or (`reason` CONFIG) because the configuration changed.

    A timer may fire twice, so its id is derived from `due`. Each news of the configuration is an input of its own and
    brings a fresh `event_id`: by a derived one, an alert that closed and opened within one tick would get its old id.
    """
    key = str(host_id)
    event = AlerterWakeup(host_id=host_id, due=due, reason=reason)
    return OutgoingEvent(WAKEUPS, key, event_id or ids.wakeup_id(f"{SERVICE}/{reason}", key, due), event, due)


class _Turn:
    """One decision in the making."""

    def __init__(self, row: HostAlerts, facts: HostFacts, given: Input, rules: RuleSet, at: datetime) -> None:
        self.row = row
        self.facts = self.facts_before = facts
        self.given = given
        self.rules = rules
        self.at = at

    def host(self, new: Host) -> Decision[HostAlerts]:
        """A version of the host record; one that is not greater than the last is dropped."""
        if new.version <= self.row.version:
            return self._nothing()
        course = watch(self.row.course, self.facts.host, new, new.updated_at)
        if course.watched_since != self.row.course.watched_since:
            course = excuse(course, new, due=course.watched_since, at=self.at)
        self._become(workspace_id=new.workspace_id, version=new.version, status=new.status, course=course)
        self.facts = self.facts.model_copy(update={"host": new})
        match new.status:
            case HostStatus.ACTIVE:
                return self._judge("host")
            case HostStatus.PAUSED:
                judged = close_all(self._around(new, "host"), CloseReason.HOST_PAUSED)
                self.facts = self.facts.model_copy(update={"paused": new.version})
                return self._settle(judged)
            case HostStatus.DELETED:
                return self._bury(close_all(self._around(new, "host"), CloseReason.HOST_DELETED))

    def card(self, card: ReportCard) -> Decision[HostAlerts]:
        """A report card; a late one changes nothing. Of a host not watched (yet, or any more) only facts are kept."""
        order = Order(requested_at=card.requested_at, scan_id=card.scan_id)
        if card.late or self.row.status is HostStatus.DELETED or not order.after(self.row.card):
            return self._nothing()
        host = self.facts.host
        same_peer = host is not None and host.target().peer == card.target.peer
        if host is not None and not same_peer and card.target.host_version < host.version:
            return self._nothing()  # a look at whom the host used to be
        again = regraded(self.facts.known, self.row.judged_by, card)
        self._learn(card, order)
        return self._judge("scan", fresh=True, regraded=again) if same_peer else self._nothing()

    def change(self, change: CertificateChange) -> Decision[HostAlerts]:
        """A certificate change, for the rules that tell of changes. Of a host not watched, or an older one: nothing."""
        order, host = Order(requested_at=change.requested_at, scan_id=change.scan_id), self.facts.host
        if host is None or self.row.status is not HostStatus.ACTIVE or not order.after(self.row.changed):
            return self._nothing()
        if host.target().peer != change.target.peer:
            return self._nothing()
        self._become(changed=order)
        return self._judge("change", change=change)

    def command(self, command: HostCommand) -> Decision[HostAlerts]:
        """An acknowledgement; other commands are for others."""
        if command.kind is not HostCommandKind.ACKNOWLEDGE or self.facts.host is None:
            return self._nothing()
        around = self._around(self.facts.host, "command")
        judged = acknowledge(around, command.alert_id, note=command.note, by=command.by)
        self._become(alerts=judged.alerts)
        return self._decision(judged.outputs)

    def wakeup(self, woken: AlerterWakeup) -> Decision[HostAlerts]:
        """The clock or the configuration. A timer that comes twice is one input: its id would open one alert twice."""
        if woken.reason == TIMER:
            if self.given.ce_id == self.row.woken:
                return self._nothing()
            self._become(woken=self.given.ce_id)
        return self._judge("time" if woken.reason == TIMER else "rule")

    def _learn(self, card: ReportCard, order: Order) -> None:
        same = self.facts.target is not None and self.facts.target.peer == card.target.peer
        known = learn(self.facts.known if same else None, card)
        target = self.facts.target if same else card.target
        paused = self.facts.paused_before(card.target)
        if (known, target, paused) != (self.facts.known, self.facts.target, self.facts.paused):
            self.facts = self.facts.model_copy(update={"known": known, "target": target, "paused": paused})
        saw_one = bool(card.path) and not card.pool_suspect
        self._become(
            workspace_id=card.target.workspace_id,
            card=order,
            seen=order if saw_one else (self.row.seen if same else None),
            judged_by=mark(card) if saw_one else (self.row.judged_by if same else None),
            course=learn_course(self.row.course, card),
        )

    def _judge(
        self, cause: str, *, fresh: bool = False, regraded: bool = False, change: CertificateChange | None = None
    ) -> Decision[HostAlerts]:
        host = self.facts.host
        if host is None or self.row.status is not HostStatus.ACTIVE:
            return self._nothing()
        course = excuse(self.row.course, host, due=self.row.due, at=self.at)
        if course is not self.row.course:
            self._become(course=course)
        around = replace(self._around(host, cause), regraded=regraded, change=change)
        judged = judge(around, fresh=fresh)
        return self._settle(judged if change is None else notice(judged, change, around))

    def _settle(self, judged: Judged) -> Decision[HostAlerts]:
        self._become(
            alerts=judged.alerts,
            due=judged.due,
            rules_version=self.rules.versions.get(RULES_TOPIC, 0),
            snoozes_version=self.rules.versions.get(SNOOZES_TOPIC, 0),
        )
        return self._decision(judged.outputs)

    def _bury(self, judged: Judged) -> Decision[HostAlerts]:
        # Kept until the tombstone, so that a card still under way meets a row that says "deleted".
        self.row = HostAlerts(workspace_id=self.row.workspace_id, version=self.row.version, status=self.row.status)
        self.facts = HostFacts()
        return self._decision(judged.outputs)

    def _nothing(self) -> Decision[HostAlerts]:
        return self._decision(())

    def _decision(self, outputs: tuple[OutgoingEvent, ...]) -> Decision[HostAlerts]:
        side: dict[str, BaseModel | None] = {}
        if self.facts is not self.facts_before:
            side[SIDE] = None if self.facts == HostFacts() else self.facts
        return Decision(self.row, outputs, side, self.row.due)

    def _around(self, host: Host, cause: str) -> Circumstances:
        return Circumstances(self.row, self.facts, host, self.given, self.rules, cause, self.at)

    def _become(self, **changes: Any) -> None:
        self.row = self.row.model_copy(update=changes)
