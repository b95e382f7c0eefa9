"""Any interleaving of cards, edits, rules, snoozes, changes and wakeups: no transition is lost, none is doubled.

The model (paper.py) keeps what a person would keep on paper. Inputs that say nothing new (redelivered, late, repeated)
are thrown in anywhere, we are away for a while, and the rows are read again from their bytes after every input.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    run_state_machine_as_test,
)
from hypothesis.stateful import rule as step

from services.alerter.behind import must_judge
from tests.fakes import inputs
from tests.fakes.inputs import RULE, WORKSPACE
from tests.unit.services.alerter import drawn
from tests.unit.services.alerter.following import Following
from tests.unit.services.alerter.world import DAY
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import Grade, ReportCard, Unexpected, Verdict
from vigilo.events.hosts import HostSnooze, HostStatus
from vigilo.events.rules import AlertRule, RecordStatus, Snooze

SLOTS = range(3)
SNOOZES = [UUID(int=0x0190A000_0000_7000_8000_000000000C00 + number) for number in range(2)]
HOUR = timedelta(hours=1)


class AlerterMachine(Following):
    """Feeds one host's inputs in any order and follows every transition with the model."""

    # -- hosts -----------------------------------------------------------------------------------------------------

    def __init__(self) -> None:
        super().__init__()
        self.slots: dict[int, UUID] = {}

    @initialize(
        first=st.tuples(*[drawn.rules for _ in SLOTS]), seen=drawn.sights, tags=st.sampled_from([(), ("edge",)])
    )
    def begin(self, first: tuple[dict[str, Any], ...], seen: dict[str, Any], tags: tuple[str, ...]) -> None:
        self.edit_host(status=HostStatus.ACTIVE, tags=tags)
        for slot, rule in zip(SLOTS, first, strict=True):
            self.write_a_rule(slot=slot, rule=rule)
        self.scan(**seen)

    def edit_host(self, **changes: Any) -> None:
        old = self.model.record
        fields = {} if old is None else dict(old)
        changes = {**changes, "version": 1 if old is None else old.version + 1, "updated_at": self.world.at}
        record = inputs.host(**{**fields, **changes})
        self.model.host(record, self.world.at)
        self.judged(lambda: self.world.host(**dict(record)), "host")

    @step(changes=drawn.hosts)
    def change_the_host(self, changes: dict[str, Any]) -> None:
        self.edit_host(**changes)

    @step(hours=st.integers(0, 30))
    def pause_and_resume(self, hours: int) -> None:
        self.edit_host(status=HostStatus.PAUSED)
        self.scan(days=12, chain_valid=Verdict.NO, grade=Grade.C)
        self.pass_time(hours * HOUR)
        self.edit_host(status=HostStatus.ACTIVE)

    @step(begins=st.sampled_from([0, 0, 5, 30]), hours=st.integers(1, 48))
    def snooze_the_host(self, begins: int, hours: int) -> None:
        since = self.world.at + begins * HOUR
        self.edit_host(snooze=HostSnooze(since=since, until=since + hours * HOUR))

    @step()
    def the_host_record_again(self) -> None:
        row = self.world.row
        assert self.model.record is not None
        assert self.world.host(**dict(self.model.record)) == []
        assert self.world.row == row

    # -- scans -----------------------------------------------------------------------------------------------------

    @step(seen=st.lists(drawn.sights, min_size=1, max_size=5))
    def scans(self, seen: list[dict[str, Any]]) -> None:
        for one in seen:
            self.scan(**one)

    @step(seen=drawn.sights, times=st.integers(2, 4), seconds=st.sampled_from([1, 30, 3600]))
    def scans_that_agree(self, seen: dict[str, Any], times: int, seconds: int) -> None:
        for _ in range(times):
            self.scan(**seen)
            self.pass_time(timedelta(seconds=seconds))

    def scan(self, *, days: int | None = None, **seen: Any) -> None:
        self.pass_time(timedelta(seconds=1))
        end = None if days is None else self.world.at + days * DAY
        assert self.model.record is not None
        card = inputs.card(requested_at=self.world.at, not_after=end, target=self.model.record.target(), **seen)
        self.cards.append(card)
        regraded = self.model.card(card)
        self.judged(lambda: self.hear_card(card), "scan", fresh=True, regraded=regraded)

    def hear_card(self, card: ReportCard) -> list[AlertTransition]:
        return self.world.hear("report-cards", card, ce_id=str(ids.report_card_id(card.scan_id)))

    @precondition(lambda self: self.cards)
    @step(data=st.data())
    def a_card_again_or_late(self, data: st.DataObject) -> None:
        row = self.world.row
        assert self.hear_card(data.draw(st.sampled_from(self.cards))) == []
        assert self.world.row == row

    @step(unexpected=st.booleans())
    def the_certificate_changes(self, unexpected: bool) -> None:
        self.pass_time(timedelta(seconds=1))
        surprises = (Unexpected.NAME_LOST,) if unexpected else ()
        change = inputs.change(requested_at=self.world.at, unexpected=surprises)
        self.changes.append(change)
        due, watching = self.due, self.model.watching
        sent = self.world.change(**dict(change))
        expected = self.model.expect(self.world.at, "change", due=due) if watching else []
        expected += self.model.notices(change, self.world.at)
        self.compare(sent, expected)

    @precondition(lambda self: self.changes and self.model.watching)
    @step(data=st.data())
    def a_change_again_or_late(self, data: st.DataObject) -> None:
        # While the host was paused changes were not taken note of: only what was applied is known as old.
        row = self.world.row
        assert row is not None
        change = data.draw(st.sampled_from(self.changes))
        if row.changed is not None and change.requested_at <= row.changed.requested_at:
            assert self.world.change(**dict(change)) == []
            assert self.world.row == row

    # -- configuration ---------------------------------------------------------------------------------------------

    @step(slot=st.sampled_from(SLOTS), rule=drawn.rules)
    def write_a_rule(self, slot: int, rule: dict[str, Any]) -> None:
        """A new one, or all of it anew."""
        old = self.model.rules.get(self.slots[slot]) if slot in self.slots else None
        if old is None or old.status is RecordStatus.DELETED:
            self.slots[slot] = UUID(int=RULE.int + len(self.model.rules))
            old = None
        self.write(old, rule_id=self.slots[slot], **rule)

    @step(slot=st.sampled_from(SLOTS), rule=drawn.rules, days=st.integers(1, 40))
    def write_a_rule_and_wait(self, slot: int, rule: dict[str, Any], days: int) -> None:
        self.write_a_rule(slot=slot, rule=rule)
        self.pass_time(days * DAY)

    @step(slot=st.sampled_from(SLOTS), changes=drawn.edits)
    def edit_a_rule(self, slot: int, changes: dict[str, Any]) -> None:
        self.write(self.model.rules[self.slots[slot]], **changes)

    @step(slot=st.sampled_from(SLOTS))
    def delete_a_rule(self, slot: int) -> None:
        self.write(self.model.rules[self.slots[slot]], status=RecordStatus.DELETED)

    def write(self, old: AlertRule | None, **changes: Any) -> None:
        if old is not None and old.status is RecordStatus.DELETED:
            return
        fields = {} if old is None else dict(old)
        new = inputs.rule(**{**fields, **changes, "version": 1 if old is None else old.version + 1})
        self.model.rules[new.rule_id] = new
        self.configured(new)

    @step(
        which=st.sampled_from(SNOOZES),
        begins=st.sampled_from([0, 0, 5]),
        hours=st.integers(1, 48),
        ends=st.sampled_from([False, False, True]),
    )
    def snooze_a_rule_or_the_tag(self, which: UUID, begins: int, hours: int, ends: bool) -> None:
        old = self.model.snoozes.get(which)
        since = self.world.at + begins * HOUR
        new = Snooze(
            snooze_id=which,
            workspace_id=WORKSPACE,
            version=1 if old is None else old.version + 1,
            status=RecordStatus.DELETED if ends else RecordStatus.ACTIVE,
            rule_id=self.slots[0] if which == SNOOZES[0] else None,
            tag=None if which == SNOOZES[0] else "edge",
            since=since,
            until=since + hours * HOUR,
        )
        self.model.snoozes[which] = new
        self.configured(new)

    @step(which=st.sampled_from(SNOOZES), hours=st.integers(1, 48), later=st.integers(1, 48))
    def end_a_snooze_early_and_wait(self, which: UUID, hours: int, later: int) -> None:
        self.snooze_a_rule_or_the_tag(which=which, begins=0, hours=hours, ends=False)
        self.snooze_a_rule_or_the_tag(which=which, begins=0, hours=hours, ends=True)
        self.pass_time(later * HOUR)

    def configured(self, record: AlertRule | Snooze) -> None:
        """The alerter hears of a change only if it concerns the host; if it does not, nothing may be missing."""
        self.world.configure(record)
        row = self.world.row
        assert row is not None
        if must_judge(row, lambda: self.world.facts, self.world.rule_set(), at=self.world.at):
            self.judged(lambda: self.world.wake(reason="config"), "rule")
        else:
            self.nothing_is_missing()

    # -- time ------------------------------------------------------------------------------------------------------

    @step(hours=st.one_of(st.integers(1, 6), st.integers(1, 24 * 40)))
    def time_passes(self, hours: int) -> None:
        self.pass_time(hours * HOUR)

    @step(minutes=st.sampled_from([1, 30, 300, 3000]))
    def we_are_away(self, minutes: int) -> None:
        """No timer comes; the next input finds us late."""
        self.world.at += timedelta(minutes=minutes)

    @step()
    def a_wakeup_out_of_the_blue(self) -> None:
        due = self.world.at + timedelta(microseconds=self.ticks)
        self.judged(lambda: self.world.wake(due=due), "time")
        self.ticks += 1

    # -- people ----------------------------------------------------------------------------------------------------

    @precondition(lambda self: any(paper.up for paper in self.model.papers.values()))
    @step(data=st.data(), note=st.sampled_from([None, "renewing"]), by=st.sampled_from(["ada", "grace"]))
    def acknowledge(self, data: st.DataObject, note: str | None, by: str) -> None:
        paper = data.draw(st.sampled_from([one for one in self.model.papers.values() if one.up]))
        sent = self.world.acknowledge(alert_id=paper.alert_id, note=note, by=by)
        assert [one.kind for one in sent] == [TransitionKind.ACKNOWLEDGED] * (paper.acknowledged != (by, note))
        paper.acknowledged = (by, note)
        for one in sent:
            self.follow(one)

    @precondition(lambda self: self.alerts)
    @step(data=st.data())
    def acknowledge_what_is_over(self, data: st.DataObject) -> None:
        alert_id = data.draw(st.sampled_from(sorted(self.alerts)))
        if all(paper.alert_id != alert_id or not paper.up for paper in self.model.papers.values()):
            assert self.world.acknowledge(alert_id=alert_id) == []

    # -- always ----------------------------------------------------------------------------------------------------

    @invariant()
    def the_row_says_what_the_model_says(self) -> None:
        if self.world.row is None:
            return
        named = {"open": "opened"}
        alive = {rule_id: state for rule_id, state in self.world.row.alerts.items() if state.alive}
        said = {rule_id: named.get(state.phase, str(state.phase)) for rule_id, state in alive.items()}
        noted = {rule_id: paper.phase for rule_id, paper in self.model.papers.items() if paper.phase != "closed"}
        assert said == noted

    @invariant()
    def a_host_that_is_not_watched_has_no_timer(self) -> None:
        assert self.due is None or self.model.watching


QUICK = settings(max_examples=50, stateful_step_count=25, deadline=None)


def test_no_interleaving_loses_or_doubles_a_transition() -> None:
    run_state_machine_as_test(AlerterMachine, settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_interleaving_loses_or_doubles_a_transition_in_thousands() -> None:
    long = settings(max_examples=2000, stateful_step_count=60, deadline=None)
    run_state_machine_as_test(AlerterMachine, settings=long)
