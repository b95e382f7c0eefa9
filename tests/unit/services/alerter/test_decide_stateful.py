"""Any interleaving of cards, edits, rules, snoozes and wakeups: no transition is lost, none is doubled.

The model keeps, per rule, what a person would keep on paper: is the alert open, and the counts. It judges by its own
few lines, not by the code under test. Inputs that say nothing new (redelivered, late, repeated) are thrown in anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition
from hypothesis.stateful import rule as step

from services.alerter.behind import must_judge
from tests.fakes import inputs
from tests.fakes.inputs import WORKSPACE
from tests.unit.services.alerter.world import DAY, World
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import ReportCard, Verdict
from vigilo.events.hosts import Host, HostSnooze, HostStatus
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, Snooze, TaggedHosts
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan

RULES = [UUID(int=0x0190A000_0000_7000_8000_000000000B00 + number) for number in range(2)]
SNOOZE = UUID("0190a000-0000-7000-8000-0000000000cc")
triggers = st.sampled_from([ExpiresInLessThan(days=30), ExpiresInLessThan(days=5), ChainValidationFails()])
scopes = st.sampled_from([AllHosts(), TaggedHosts(tag="edge")])


@dataclass
class Paper:
    """One rule at the host, as a person would note it."""

    phase: str = "closed"
    count: int = 0
    alert_id: UUID | None = None
    n: int = 0


@dataclass
class Model:
    """What the host's alerts should be."""

    papers: dict[UUID, Paper] = field(default_factory=dict)
    episodes: dict[UUID, int] = field(default_factory=dict)


class AlerterMachine(RuleBasedStateMachine):
    """Feeds one host's inputs in any order and follows every transition with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model()
        self.record: Host | None = None
        self.written: dict[UUID, AlertRule] = {}
        self.snooze: Snooze | None = None
        self.seen: tuple[datetime | None, Verdict] | None = None  # end of the last leaf, last verdict
        self.cards: list[ReportCard] = []
        self.transitions: set[UUID] = set()
        self.alerts: set[UUID] = set()
        self.ticks = 0

    # -- the model's own judgement ---------------------------------------------------------------------------------

    def answer(self, rule: AlertRule) -> bool | None:
        if self.seen is None:
            return None
        end, verdict = self.seen
        if isinstance(rule.trigger, ExpiresInLessThan):
            return None if end is None else end - self.world.at < rule.trigger.days * DAY
        return {Verdict.YES: False, Verdict.NO: True, Verdict.UNKNOWN: None}[verdict]

    def snoozed(self, rule: AlertRule) -> bool:
        assert self.record is not None
        at, host = self.world.at, self.record.snooze
        if host is not None and host.since <= at < host.until:
            return True
        one = self.snooze if rule.rule_id == RULES[0] else None
        return one is not None and one.status is RecordStatus.ACTIVE and one.since <= at < one.until

    def applicable(self) -> list[AlertRule]:
        record = self.record
        if record is None or record.status is not HostStatus.ACTIVE:
            return []
        return [
            rule
            for rule in self.written.values()
            if rule.enabled
            and rule.status is RecordStatus.ACTIVE
            and (isinstance(rule.scope, AllHosts) or "edge" in record.tags)
        ]

    def expect(self, *, fresh: bool) -> set[tuple[UUID, str]]:
        """Moves the model on and says which transitions must come: (rule, kind)."""
        expected: set[tuple[UUID, str]] = set()
        watched = {rule.rule_id: rule for rule in self.applicable()}
        for rule_id, paper in self.model.papers.items():
            if rule_id not in watched and paper.phase != "closed":
                expected.add((rule_id, "closed"))
                paper.phase, paper.count = "closed", 0
        for rule_id, rule in watched.items():
            paper = self.model.papers.setdefault(rule_id, Paper())
            kind = self.move(paper, rule, fresh=fresh)
            if kind is not None:
                expected.add((rule_id, kind))
        return expected

    def move(self, paper: Paper, rule: AlertRule, *, fresh: bool) -> str | None:
        said = self.answer(rule)
        if said is None:
            return None
        is_up = paper.phase in {"opened", "suppressed"}
        if said is is_up:
            paper.count = 0
        else:
            paper.count = paper.count + 1 if fresh else max(1, paper.count)
        goal = "suppressed" if self.snoozed(rule) else "opened"
        new = paper.phase
        if said and not is_up:
            new = goal if paper.count >= rule.open_after else "pending"
        elif said and paper.phase == "suppressed" and goal == "opened":
            new = "opened"
        elif not said and (paper.phase == "pending" or (is_up and paper.count >= rule.close_after)):
            new = "closed"
        if new == paper.phase:
            return None
        if new != "pending":
            paper.count = 0
        paper.phase = new
        return new

    # -- what must hold of every transition ------------------------------------------------------------------------

    def check(self, sent: list[AlertTransition], *, fresh: bool = False, judged: bool = True) -> None:
        expected = self.expect(fresh=fresh) if judged else set()
        assert {(one.rule.rule_id, str(one.kind)) for one in sent} == expected
        assert len(sent) == len(expected)
        for one in sent:
            self.follow(one)

    def follow(self, one: AlertTransition) -> None:
        assert one.transition_id not in self.transitions, "a transition id came twice"
        self.transitions.add(one.transition_id)
        paper = self.model.papers[one.rule.rule_id]
        if one.n == 1:
            assert one.alert_id not in self.alerts, "an alert id came twice"
            self.alerts.add(one.alert_id)
            self.model.episodes[one.rule.rule_id] = one.episode
            paper.alert_id, paper.n = one.alert_id, 0
        assert (one.alert_id, one.n) == (paper.alert_id, paper.n + 1)
        assert one.transition_id == ids.transition_id(one.alert_id, one.n)
        assert (one.kind is TransitionKind.CLOSED) == (one.close_reason is not None)
        paper.n = one.n

    # -- inputs ----------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.edit_host(status=HostStatus.ACTIVE)

    def edit_host(self, **changes: Any) -> None:
        version = 1 if self.record is None else self.record.version + 1
        fields = {} if self.record is None else dict(self.record)
        self.record = inputs.host(**{**fields, **changes, "version": version})
        sent = self.world.host(**{**dict(self.record), "version": version})
        self.check(sent)

    @step(
        changes=st.one_of(
            st.fixed_dictionaries({"status": st.sampled_from([HostStatus.ACTIVE, HostStatus.PAUSED])}),
            st.fixed_dictionaries({"tags": st.sampled_from([(), ("edge",)])}),
            st.fixed_dictionaries({"owner": st.sampled_from(["ada", "grace"])}),
        )
    )
    def change_the_host(self, changes: dict[str, Any]) -> None:
        self.edit_host(**changes)

    @step(hours=st.integers(1, 48))
    def snooze_the_host(self, hours: int) -> None:
        self.edit_host(snooze=HostSnooze(since=self.world.at, until=self.world.at + timedelta(hours=hours)))

    @step(data=st.data(), days=st.sampled_from([None, 2, 12, 60]), verdict=st.sampled_from(Verdict))
    def scan(self, data: st.DataObject, days: int | None, verdict: Verdict) -> None:
        self.pass_time(timedelta(seconds=1))
        end = None if days is None else self.world.at + days * DAY
        verdict = Verdict.UNKNOWN if days is None else verdict
        card = inputs.card(requested_at=self.world.at, not_after=end, chain_valid=verdict)
        self.cards.append(card)
        sent = self.hear_card(card)
        self.seen = (end or (self.seen[0] if self.seen else None), verdict)
        self.check(sent, fresh=True)

    def hear_card(self, card: ReportCard) -> list[AlertTransition]:
        return self.world.hear("report-cards", card, ce_id=str(ids.report_card_id(card.scan_id)))

    @precondition(lambda self: self.cards)
    @step(data=st.data())
    def a_card_again_or_late(self, data: st.DataObject) -> None:
        row = self.world.row
        sent = self.hear_card(data.draw(st.sampled_from(self.cards)))
        assert sent == []
        assert self.world.row == row

    @step()
    def the_host_record_again(self) -> None:
        assert self.record is not None
        row = self.world.row
        assert self.world.host(**dict(self.record)) == []
        assert self.world.row == row

    @step(
        which=st.sampled_from(RULES),
        trigger=triggers,
        scope=scopes,
        enabled=st.booleans(),
        opens=st.integers(1, 3),
        closes=st.integers(1, 2),
        name=st.sampled_from(["a", "b"]),
    )
    def write_a_rule(
        self, which: UUID, trigger: Any, scope: Any, enabled: bool, opens: int, closes: int, name: str
    ) -> None:
        old = self.written.get(which)
        if old is not None and old.status is RecordStatus.DELETED:
            return
        self.written[which] = inputs.rule(
            rule_id=which,
            version=1 if old is None else old.version + 1,
            trigger=trigger,
            scope=scope,
            enabled=enabled,
            open_after=opens,
            close_after=closes,
            name=name,
        )
        self.configured(self.written[which])

    @precondition(lambda self: self.written)
    @step(data=st.data())
    def delete_a_rule(self, data: st.DataObject) -> None:
        rule = data.draw(st.sampled_from(list(self.written.values())))
        deleted = rule.model_copy(update={"version": rule.version + 1, "status": RecordStatus.DELETED})
        self.written[rule.rule_id] = deleted
        self.configured(deleted)

    @step(hours=st.integers(1, 48), status=st.sampled_from(RecordStatus))
    def snooze_the_first_rule(self, hours: int, status: RecordStatus) -> None:
        self.snooze = Snooze(
            snooze_id=SNOOZE,
            workspace_id=WORKSPACE,
            version=1 if self.snooze is None else self.snooze.version + 1,
            status=status,
            rule_id=RULES[0],
            since=self.world.at,
            until=self.world.at + timedelta(hours=hours),
        )
        self.configured(self.snooze)

    def configured(self, record: AlertRule | Snooze) -> None:
        """The alerter hears of a change only if it concerns the host; if it does not, nothing may be missing."""
        self.world.configure(record)
        row = self.world.row
        assert row is not None
        if must_judge(row, lambda: self.world.facts, self.world.rule_set()):
            self.check(self.world.wake(reason="config"))
        else:
            assert self.expect(fresh=False) == set(), "a change that concerns the host was not noticed"

    @step(hours=st.integers(1, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.pass_time(timedelta(hours=hours))

    def pass_time(self, span: timedelta) -> None:
        """Timers come when they are due."""
        end = self.world.at + span
        while (due := self.world.decision.next_at) is not None and due <= end:
            self.world.at = max(self.world.at, due)
            self.check(self.world.wake(due=due))
            assert self.world.wake(due=due) == [], "the same timer twice"
        self.world.at = end

    @step()
    def a_wakeup_out_of_the_blue(self) -> None:
        self.check(self.world.wake(due=self.world.at + timedelta(microseconds=self.ticks)))
        self.ticks += 1

    @precondition(lambda self: any(paper.phase in {"opened", "suppressed"} for paper in self.model.papers.values()))
    @step(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        papers = [one for one in self.model.papers.values() if one.phase in {"opened", "suppressed"}]
        paper = data.draw(st.sampled_from(papers))
        (sent,) = self.world.acknowledge(alert_id=paper.alert_id)
        assert sent.kind is TransitionKind.ACKNOWLEDGED
        self.follow(sent)

    # -- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def the_row_says_what_the_model_says(self) -> None:
        row = self.world.row
        if row is None:
            return
        phases = {rule_id: str(state.phase) for rule_id, state in row.alerts.items() if state.alive}
        noted = {"opened": "open"}
        expected = {
            rule_id: noted.get(paper.phase, paper.phase)
            for rule_id, paper in self.model.papers.items()
            if paper.phase != "closed"
        }
        assert phases == expected

    @invariant()
    def nobody_waits_for_the_past(self) -> None:
        due = self.world.decision.next_at
        assert due is None or due > self.world.at or self.world.row is None


AlerterMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAlerterMachine = AlerterMachine.TestCase
