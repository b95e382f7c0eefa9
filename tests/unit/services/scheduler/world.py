"""One host's rows, fed by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from services.scheduler.decide import Scheduler
from services.scheduler.planning import slot_at, slot_start
from services.scheduler.state import KnownHost, Schedule
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON, given
from vigilo.events.envelope import Event
from vigilo.events.hosts import Interval
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Depth, Outcome, ScanRequested, Snapshot
from vigilo.ports.processing import Decision

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


class World:
    """One host's rows, fed one input after the other; `sent` is what the last input emitted."""

    def __init__(self, **options: Any) -> None:
        self.scheduler = Scheduler(**options)
        self.row: Schedule | None = None
        self.known: KnownHost | None = None
        self.at = NOON
        self.sent: list[Event | None] = []
        self.decision: Decision[Schedule] = Decision(None)

    def hear(self, topic: str, event: Event | None, *, at: datetime | None = None, **how: Any) -> list[Event | None]:
        self.at = at or self.at
        side = {"hosts": self.known} if self.known else {}
        self.decision = self.scheduler.decide(self.row, side, given(topic, event, **how), at=self.at)
        if self.decision.refused is None:
            self.row = self.decision.state
            known = self.decision.side.get("hosts", self.known)
            assert known is None or isinstance(known, KnownHost)
            self.known = known
        self.sent = [outgoing.event for outgoing in self.decision.outputs]
        return self.sent

    def host(self, *, at: datetime | None = None, **changes: Any) -> list[Event | None]:
        return self.hear("hosts", inputs.host(**changes), at=at)

    def command(self, *, at: datetime, **changes: Any) -> list[Event | None]:
        return self.hear("host-commands", inputs.scan_command(at=at, **changes), at=at)

    def wake(self, *, at: datetime | None = None) -> list[Event | None]:
        due = at or self.decision.next_at
        assert due is not None
        return self.hear("scheduler-wakeups", SchedulerWakeup(host_id=HOST, due=due), at=due)

    def answer_lightly(self, asked: Event | None, *, at: datetime | None = None, **changes: Any) -> list[Event | None]:
        """The snapshot of a light scan without anything carried."""
        light = {"depth": Depth.LIGHT, "posture": None, "posture_origin": None}
        return self.answer(asked, at=at, **{**light, **changes})

    def answer(self, asked: Event | None, *, at: datetime | None = None, **changes: Any) -> list[Event | None]:
        """A full scan's snapshot, unless `changes` say otherwise: nothing stays open."""
        assert isinstance(asked, ScanRequested)
        fields = inputs.measured(asked, reason=asked.reason, **changes)
        seen = inputs.snapshot(scan_id=asked.scan_id, target=asked.target, requested_at=asked.requested_at, **fields)
        return self.hear("snapshots", seen, at=at)


def only_request(sent: list[Event | None]) -> ScanRequested:
    assert [type(one) for one in sent] == [ScanRequested]
    assert isinstance(sent[0], ScanRequested)
    return sent[0]


def only_not_performed(sent: list[Event | None]) -> Snapshot:
    assert [type(one) for one in sent] == [Snapshot]
    assert isinstance(sent[0], Snapshot)
    assert sent[0].outcome is Outcome.NOT_PERFORMED
    return sent[0]


def next_slot(at: datetime, interval: Interval = Interval.H1) -> datetime:
    return slot_start(HOST, interval, slot_at(HOST, interval, at) + 1)
