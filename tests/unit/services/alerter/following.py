"""A host at the alerter, and a model on paper that follows it, transition by transition."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from tests.unit.services.alerter.paper import Expected, Model, Paper
from tests.unit.services.alerter.world import World
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import CertificateChange, ReportCard


class Following(RuleBasedStateMachine):
    """What must hold of every transition, whatever is heard."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model()
        self.cards: list[ReportCard] = []
        self.changes: list[CertificateChange] = []
        self.sent: list[AlertTransition] = []
        self.transitions: set[UUID] = set()
        self.alerts: set[UUID] = set()
        self.ticks = 0

    def teardown(self) -> None:
        """Who has the inputs and the decision records gets the same transitions."""
        assert self.world.again() == self.sent

    def judged(
        self, hear: Callable[[], list[AlertTransition]], cause: str, *, fresh: bool = False, regraded: bool = False
    ) -> None:
        """Lets the world hear an input that is judged, and compares."""
        due = self.due
        sent = hear()
        self.compare(sent, self.model.expect(self.world.at, cause, due=due, fresh=fresh, regraded=regraded))

    @property
    def due(self) -> datetime | None:
        return None if self.world.row is None else self.world.row.due

    def compare(self, sent: list[AlertTransition], expected: Expected) -> None:
        assert sorted((one.rule.rule_id, str(one.kind), one.cause) for one in sent) == sorted(expected)
        for one in sent:
            self.follow(one)

    def follow(self, one: AlertTransition) -> None:
        self.sent.append(one)
        assert one.transition_id not in self.transitions, "a transition id came twice"
        self.transitions.add(one.transition_id)
        paper = self.model.papers.setdefault(one.rule.rule_id, Paper())
        if one.n == 1:
            assert one.alert_id not in self.alerts, "an alert id came twice"
            self.alerts.add(one.alert_id)
            paper.alert_id, paper.n = one.alert_id, 0
        assert (one.alert_id, one.n) == (paper.alert_id, paper.n + 1)
        assert one.transition_id == ids.transition_id(one.alert_id, one.n)
        assert (one.kind is TransitionKind.CLOSED) == (one.close_reason is not None)
        if one.kind is TransitionKind.SUPPRESSED:
            assert one.snoozed_until is not None
            assert one.snoozed_until > one.at
        rule = self.model.rules[one.rule.rule_id]
        to_confirm = {TransitionKind.PENDING: rule.open_after - 1, TransitionKind.CLEARING: rule.close_after - 1}
        assert one.scans_to_confirm == to_confirm.get(one.kind, 0)
        paper.n = one.n

    def nothing_is_missing(self) -> None:
        if self.model.watching and (self.due is None or self.due > self.world.at):
            missing = deepcopy(self.model).expect(self.world.at, "", due=None)
            assert missing == [], "a host was left out that had something to say"

    def pass_time(self, span: timedelta) -> None:
        """Timers come when they are due, and between them nothing is to be said."""
        end = self.world.at + span
        while (due := self.due) is not None and due <= end:
            self.world.at = max(self.world.at, due)
            self.judged(partial(self.world.wake, due=due), "time")
            assert self.world.wake(due=due) == [], "the same timer twice"
        self.world.at = end
        self.nothing_is_missing()
