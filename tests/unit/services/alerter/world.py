"""One host at the alerter, fed one input after the other, as the stream base would."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.alerter.decide import TIMER, Alerter
from services.alerter.decide import wakeup as wakeup_of
from services.alerter.state import HostAlerts, HostFacts
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON, rule
from vigilo.alerting.config import RULES_TOPIC, SNOOZES_TOPIC, Placed, RuleSet
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, CloseReason, TransitionKind
from vigilo.events.envelope import Event
from vigilo.events.hosts import HostCommandKind
from vigilo.events.rules import AlertRule, Snooze
from vigilo.ports.processing import Decision, Input

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SOON = NOON + 12 * DAY + timedelta(hours=8)
FAR = NOON + 80 * DAY
SNOOZE = UUID("0190a000-0000-7000-8000-0000000000cc")


class World:
    """`rules` and `snoozes` are configured by `configure`; `offsets` count per topic, as Kafka's do."""

    def __init__(self, *rules: AlertRule) -> None:
        self.row: HostAlerts | None = None
        self.facts: HostFacts | None = None
        self.at = NOON
        self.offsets: dict[str, int] = {}
        self.decision: Decision[HostAlerts] = Decision(None)
        self.heard: list[tuple[Input, datetime, Mapping[str, int]]] = []
        self.written: list[Placed[AlertRule] | Placed[Snooze]] = []
        self._rules: dict[object, Placed[AlertRule]] = {}
        self._snoozes: dict[object, Placed[Snooze]] = {}
        self.unreadable: set[UUID] = set()
        self.alerter = Alerter(self.rule_set)
        self.configure(*rules)

    def rule_set(self) -> RuleSet:
        versions = {topic: self.offsets.get(topic, 0) for topic in (RULES_TOPIC, SNOOZES_TOPIC)}
        return RuleSet.of(self._rules.values(), self._snoozes.values(), versions=versions, unreadable=self.unreadable)

    def configure(self, *records: AlertRule | Snooze) -> None:
        for record in records:
            if isinstance(record, AlertRule):
                rule = self._rules[record.rule_id] = Placed(self._next(RULES_TOPIC), record)
                self.written.append(rule)
            else:
                snooze = self._snoozes[record.snooze_id] = Placed(self._next(SNOOZES_TOPIC), record)
                self.written.append(snooze)

    def forget_rule(self, rule: AlertRule) -> None:
        """Its tombstone was compacted away before we started."""
        del self._rules[rule.rule_id]
        self._next(RULES_TOPIC)

    def hear(
        self,
        topic: str,
        event: Event | None,
        *,
        at: datetime | None = None,
        ce_id: str | None = None,
        key: object = None,
    ) -> list[AlertTransition]:
        self.at = at or self.at
        given = inputs.given(topic, event, offset=self._next(topic), ce_id=ce_id, key=key)
        self.heard.append((given, self.at, self.rule_set().versions))
        return self.apply(given, self.at)

    def apply(self, given: Input, at: datetime) -> list[AlertTransition]:
        """What the stream base does with one input, acknowledgements aside."""
        side = {"facts": self.facts} if self.facts else {}
        self.decision = self.alerter.decide(self.row, side, given, at=at)
        if self.decision.refused is None:
            facts: BaseModel | None = self.decision.side.get("facts", self.facts)
            # As Kafka gives them back: every worker may be the next one.
            self.row = self.decision.state and HostAlerts.model_validate_json(self.decision.state.model_dump_json())
            self.facts = None if facts is None else HostFacts.model_validate_json(facts.model_dump_json())
        sent = [outgoing.event for outgoing in self.decision.outputs]
        return [one for one in sent if isinstance(one, AlertTransition)]

    def host(self, *, at: datetime | None = None, version: int = 1, **changes: Any) -> list[AlertTransition]:
        ce_id = str(ids.record_id(HOST, version))
        return self.hear("hosts", inputs.host(version=version, **changes), at=at, ce_id=ce_id)

    def card(self, *, at: datetime | None = None, **changes: Any) -> list[AlertTransition]:
        self.at = at or self.at
        card = inputs.card(**{"requested_at": self.at, **changes})
        return self.hear("report-cards", card, ce_id=str(ids.report_card_id(card.scan_id)))

    def change(self, *, at: datetime | None = None, **changes: Any) -> list[AlertTransition]:
        self.at = at or self.at
        change = inputs.change(**{"requested_at": self.at, **changes})
        return self.hear("certificate-changes", change, ce_id=str(ids.certificate_change_id(HOST, change.scan_id)))

    def wake(self, *, reason: str = TIMER, due: datetime | None = None) -> list[AlertTransition]:
        """The timer comes when it is due; the configuration's wakeup at once."""
        when = due or (self.decision.next_at if reason == TIMER else self.at)
        assert when is not None
        outgoing = wakeup_of(HOST, due=when, reason=reason, event_id=None if reason == TIMER else ids.new_id())
        return self.hear(outgoing.topic, outgoing.event, at=max(self.at, when), ce_id=str(outgoing.id))

    def acknowledge(self, **changes: Any) -> list[AlertTransition]:
        return self.hear("host-commands", inputs.scan_command(at=self.at, kind=HostCommandKind.ACKNOWLEDGE, **changes))

    def again(self) -> list[AlertTransition]:
        """Every transition, decided again from the inputs, when they came, and what had been read by then."""
        other, sent = World(), []
        for given, at, versions in self.heard:
            rules = [one for one in self.written if isinstance(one.record, AlertRule)]
            snoozes = [one for one in self.written if isinstance(one.record, Snooze)]
            other.alerter = Alerter(partial(RuleSet.as_read, rules, snoozes, versions))
            sent += other.apply(given, at)
        return sent

    def _next(self, topic: str) -> int:
        offset = self.offsets.get(topic, 0)
        self.offsets[topic] = offset + 1
        return offset


def opened(*rules: Any) -> tuple[World, AlertTransition]:
    """A world with one open alert."""
    world = World(*(rules or (rule(),)))
    world.host()
    (transition,) = world.card(not_after=SOON)
    assert transition.kind is TransitionKind.OPENED
    return world, transition


def only(sent: list[AlertTransition], kind: TransitionKind) -> AlertTransition:
    assert [one.kind for one in sent] == [kind]
    return sent[0]


def only_closed(sent: list[AlertTransition], reason: CloseReason) -> AlertTransition:
    closed = only(sent, TransitionKind.CLOSED)
    assert closed.close_reason is reason
    return closed
