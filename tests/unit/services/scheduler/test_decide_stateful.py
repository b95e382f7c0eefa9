"""Any interleaving of edits, commands, answers, wakeups and outages keeps the schedule's promises.

The model is a list of what was asked for; it knows nothing of rows, only what each scan must come to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.scheduler.decide import Scheduler
from services.scheduler.state import KnownHost, Schedule
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON
from tests.unit.services.scheduler.confirming import told
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.envelope import Event
from vigilo.events.hosts import Host, HostStatus, Interval
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.ports.processing import Decision

OVERDUE = timedelta(seconds=90)
SPACING = timedelta(seconds=30)


@dataclass
class Asked:
    """One scan in the model."""

    request: ScanRequested
    answered: bool = False
    given_up: bool = False
    excused: bool = False  # the host changed or went away: nobody waits for it any more


class SchedulerMachine(RuleBasedStateMachine):
    """Feeds one host's inputs in any order and checks every output."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler()
        self.row: Schedule | None = None
        self.known: KnownHost | None = None
        self.at = NOON
        self.version = 0
        self.record: Host | None = None
        self.history: list[Host] = []
        self.asked: dict[UUID, Asked] = {}
        self.unsent: list[Snapshot] = []  # our own snapshots, not yet read back
        self.last_requested_at: datetime | None = None
        self.slots: set[tuple[int, int]] = set()
        self.next_at: datetime | None = None
        self.told: list[AlertTransition] = []
        self.rechecked_at: datetime | None = None
        self.doubted = False

    def hear(self, topic: str, event: Event) -> Decision[Schedule]:
        side = {"hosts": self.known} if self.known else {}
        decision = self.scheduler.decide(self.row, side, inputs.given(topic, event), at=self.at)
        assert decision.refused is None
        assert decision.next_at is None or decision.next_at > self.at, "something due was left undone"
        self.row, self.next_at = decision.state, decision.next_at
        known = decision.side.get("hosts", self.known)
        assert known is None or isinstance(known, KnownHost)
        self.known = known
        for outgoing in decision.outputs:
            self.check(outgoing.event)
        return decision

    def check(self, event: Event | None) -> None:
        if isinstance(event, ScanRequested):
            self.check_request(event)
        else:
            assert isinstance(event, Snapshot)
            self.check_not_performed(event)

    def check_request(self, event: ScanRequested) -> None:
        assert self.record is not None
        assert self.record.status is HostStatus.ACTIVE
        assert event.target == self.record.target()
        assert event.scan_id not in self.asked, "a scan id was used twice"
        assert event.not_after > self.at
        self.check_order(event.requested_at)
        if event.reason is ScanReason.RECHECK:
            self.check_recheck()
        if event.slot is not None:
            assert self.row is not None
            assert (self.row.epoch, event.slot) not in self.slots, "a slot was asked for twice"
            self.slots.add((self.row.epoch, event.slot))
        self.asked[event.scan_id] = Asked(event)

    def check_recheck(self) -> None:
        assert self.rechecked_at is None or self.at - self.rechecked_at >= SPACING, "two rechecks in half a minute"
        assert not self.doubted, "a recheck of a pool in doubt"
        assert self.unconfirmed(), "a recheck that no alert wants"
        self.rechecked_at = self.at

    def unconfirmed(self) -> list[AlertTransition]:
        """The last word of each alert, where that word has to be confirmed."""
        telling = [one for one in self.told if one.kind is not TransitionKind.REMINDER]
        last = {one.alert_id: one for one in sorted(telling, key=lambda one: one.n)}
        return [one for one in last.values() if one.scans_to_confirm]

    def check_order(self, requested_at: datetime) -> None:
        assert self.last_requested_at is None or requested_at > self.last_requested_at
        self.last_requested_at = requested_at

    def check_not_performed(self, event: Snapshot) -> None:
        assert event.outcome is Outcome.NOT_PERFORMED
        self.unsent.append(event)
        if event.scan_id not in self.asked:
            assert self.record is not None
            assert event.detail == f"no such pool: {self.record.pool}"
            self.check_order(event.requested_at)
            return
        asked = self.asked[event.scan_id]
        assert not (asked.answered or asked.given_up or asked.excused)
        assert event.requested_at == asked.request.requested_at
        assert self.at >= asked.request.not_after + OVERDUE or event.detail == "given up for newer requests"
        asked.given_up = True

    def edit(self, **changes: Any) -> None:
        self.version += 1
        fields = {} if self.record is None else dict(self.record)
        record = inputs.host(**{**fields, **changes, "version": self.version, "updated_at": self.at})
        gone = record.status is HostStatus.DELETED
        if gone or (self.record is not None and self.record.target().peer != record.target().peer):
            for asked in self.asked.values():
                asked.excused = True
        self.record = record
        self.history.append(record)
        self.hear("hosts", record)

    @initialize(interval=st.sampled_from(Interval), status=st.sampled_from([HostStatus.ACTIVE, HostStatus.PAUSED]))
    def add(self, interval: Interval, status: HostStatus) -> None:
        self.edit(interval=interval, status=status)

    @precondition(lambda self: self.record.status is not HostStatus.DELETED)
    @rule(
        changes=st.one_of(
            st.fixed_dictionaries({"status": st.sampled_from([HostStatus.ACTIVE, HostStatus.PAUSED])}),
            st.fixed_dictionaries({"interval": st.sampled_from(Interval)}),
            st.fixed_dictionaries({"port": st.sampled_from([443, 8443])}),
            st.fixed_dictionaries({"pool": st.sampled_from(["public", "nowhere"])}),
            st.fixed_dictionaries({"tags": st.sampled_from([("a",), ("b",)])}),
        )
    )
    def change(self, changes: dict[str, Any]) -> None:
        self.edit(**changes)

    @precondition(lambda self: self.record.status is not HostStatus.DELETED)
    @rule(dice=st.integers(0, 9))
    def delete_seldom(self, dice: int) -> None:
        if dice == 0:
            self.edit(status=HostStatus.DELETED)

    @rule(data=st.data())
    def republish_an_old_record(self, data: st.DataObject) -> None:
        self.hear("hosts", data.draw(st.sampled_from(self.history)))

    @rule(ahead=st.integers(0, 1), skew=st.integers(-5, 5))
    def ask_now(self, ahead: int, skew: int) -> None:
        at = self.at + timedelta(seconds=skew)
        self.hear("host-commands", inputs.scan_command(at=at, host_version=self.version + ahead))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), outcome=st.sampled_from([Outcome.OK, Outcome.REFUSED]), doubted=st.integers(0, 5))
    def answer_any_scan_even_twice(self, data: st.DataObject, outcome: Outcome, doubted: int) -> None:
        asked = data.draw(st.sampled_from(list(self.asked.values())))
        asked.answered = True
        request = asked.request
        chain = (inputs.LEAF,) if outcome is Outcome.OK else ()
        seen = inputs.snapshot(
            scan_id=request.scan_id,
            target=request.target,
            requested_at=request.requested_at,
            outcome=outcome,
            chain=chain,
            pool_suspect=doubted == 0,
        )
        self.doubted = seen.pool_suspect and request.target.pool == self.current().pool
        self.hear("snapshots", seen)
        self.doubted = False

    @rule(
        alert=st.sampled_from("abcde"),
        kind=st.sampled_from([TransitionKind.PENDING, TransitionKind.CLEARING]),
        scans=st.integers(1, 4),
        version=st.integers(-2, 1),
        seconds=st.integers(-5, 5000),
    )
    def tell_of_an_alert_to_confirm(
        self, alert: str, kind: TransitionKind, scans: int, version: int, seconds: int
    ) -> None:
        at = self.at - timedelta(seconds=seconds)
        self.tell(alert, kind, scans=scans, version=max(1, self.version + version), at=at)

    @rule(
        alert=st.sampled_from("abcde"),
        kind=st.sampled_from([TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.REMINDER]),
    )
    def tell_of_an_alert_that_goes_on(self, alert: str, kind: TransitionKind) -> None:
        self.tell(alert, kind, scans=0, version=self.version, at=self.at)

    def tell(self, alert: str, kind: TransitionKind, *, scans: int, version: int, at: datetime) -> None:
        n = 1 + sum(1 for one in self.told if one.decided_by.ce_id == alert)
        event = told(kind, n=n, scans=scans, version=version, at=at, cause=alert)
        self.told.append(event)
        self.hear("alerts", event)

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def tell_again(self, data: st.DataObject) -> None:
        """What is heard again is of no account, unless it was never used: then it still is too late."""
        self.hear("alerts", data.draw(st.sampled_from(self.told)))

    def current(self) -> Host:
        assert self.record is not None
        return self.record

    @precondition(lambda self: self.unsent)
    @rule()
    def read_our_own_snapshot_back(self) -> None:
        own = self.unsent.pop(0)
        settled = self.next_at is None or self.next_at > self.at
        row = self.row
        self.hear("snapshots", own)
        assert not settled or self.row == row

    @rule(seconds=st.one_of(st.integers(0, 120), st.integers(0, 200_000)))
    def let_time_pass_without_anybody_waking_us(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @precondition(lambda self: self.next_at is not None)
    @rule(doubled=st.booleans())
    def wake_when_due(self, doubled: bool) -> None:
        assert self.next_at is not None
        due = self.next_at
        self.at = max(self.at, due)
        self.hear("scheduler-wakeups", SchedulerWakeup(host_id=HOST, due=due))
        if doubled:
            decision = self.hear("scheduler-wakeups", SchedulerWakeup(host_id=HOST, due=due))
            assert decision.outputs == ()

    @rule()
    def wake_for_nothing(self) -> None:
        self.hear("scheduler-wakeups", SchedulerWakeup(host_id=HOST, due=self.at))

    @invariant()
    def nothing_is_due_after_an_input(self) -> None:
        if self.row is not None and self.row.status is HostStatus.ACTIVE:
            assert self.next_at is not None, "an active host always has a next slot"
        assert self.row is None or len(self.row.model_dump_json()) < 1024

    def teardown(self) -> None:
        """With nobody answering any more, the timer alone brings every scan to an end within 17 minutes."""
        if self.next_at is None:
            assert not self.open_scans()
            return
        end = max(self.at, self.next_at) + timedelta(minutes=17)
        asked_before = self.open_scans()
        while self.next_at is not None and self.next_at <= end:
            self.wake_when_due(doubled=False)
        assert not set(asked_before) & set(self.open_scans())

    def open_scans(self) -> list[UUID]:
        return [scan_id for scan_id, one in self.asked.items() if not (one.answered or one.given_up or one.excused)]


SchedulerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSchedulerMachine = SchedulerMachine.TestCase
