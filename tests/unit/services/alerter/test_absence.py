"""A scan is not overdue because we ourselves were away."""

from __future__ import annotations

from datetime import timedelta

from services.alerter.absence import LATE, excuse
from tests.fakes.inputs import NOON, host, rule
from tests.unit.services.alerter.world import DAY, FAR, SECOND, World, only
from vigilo.alerting.knowledge import Course
from vigilo.events.alerts import TransitionKind
from vigilo.events.hosts import Interval
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ScanOverdue

HOUR = timedelta(hours=1)
OVERDUE = rule(trigger=ScanOverdue(intervals=3))


def scanned() -> World:
    world = World(OVERDUE)
    world.host()
    world.card(not_after=FAR)
    assert world.decision.next_at == NOON + 3 * HOUR
    return world


def test_a_timer_in_time_tells_that_a_scan_is_overdue() -> None:
    world = scanned()
    told = only(world.wake(), TransitionKind.OPENED)
    assert (told.cause, told.at) == ("time", NOON + 3 * HOUR)


def test_a_timer_long_after_it_was_due_gives_scans_one_more_interval() -> None:
    world = scanned()
    due = world.decision.next_at
    back = NOON + 3 * HOUR + LATE + SECOND
    world.at = back
    assert world.wake(due=due) == []
    assert world.decision.next_at == back + HOUR
    told = only(world.wake(), TransitionKind.OPENED)
    assert told.at == back + HOUR


def test_what_was_missed_while_we_were_away_is_not_overdue() -> None:
    """The cards of the time we were away come first, one after the other: each is older than what is allowed."""
    world = scanned()
    world.at = NOON + 9 * HOUR
    for number in range(1, 9):
        assert world.card(requested_at=NOON + number * HOUR, not_after=FAR) == []
    assert world.decision.next_at == NOON + 11 * HOUR
    only(world.wake(), TransitionKind.OPENED)


def test_whatever_input_comes_first_tells_that_we_were_away() -> None:
    world = scanned()
    world.at = NOON + 9 * HOUR
    assert world.host(version=2, owner="ada") == []
    assert world.card(at=world.at + SECOND, outcome=Outcome.NOT_PERFORMED) == []
    assert world.decision.next_at == NOON + 10 * HOUR
    only(world.wake(), TransitionKind.OPENED)


def test_a_record_heard_long_after_it_was_written_gives_its_first_scan_an_interval() -> None:
    world = World(OVERDUE)
    assert world.host(at=NOON + DAY) == []
    assert world.decision.next_at == NOON + DAY + HOUR
    only(world.wake(), TransitionKind.OPENED)


def test_a_host_that_is_resumed_or_due_more_often_is_counted_anew() -> None:
    for changes in ({"status": "paused"}, {"interval": Interval.H24}):
        world = World(OVERDUE)
        world.host()
        world.card(not_after=FAR)
        world.host(version=2, updated_at=NOON + HOUR, at=NOON + HOUR, **changes)
        resumed = NOON + 20 * HOUR
        assert world.host(version=3, updated_at=resumed, at=resumed) == []
        assert world.decision.next_at == resumed + 3 * HOUR


def test_an_open_alert_stays_open_while_others_are_excused() -> None:
    world = scanned()
    only(world.wake(), TransitionKind.OPENED)
    world.configure(rule(version=2, trigger=OVERDUE.trigger, remind_every_minutes=60))
    world.wake(reason="config")
    world.at = NOON + 9 * HOUR
    assert [one.kind for one in world.wake()] == [TransitionKind.REMINDER]
    assert world.row is not None
    assert world.row.course.excused_until is not None


def test_an_excuse_is_forgotten_once_it_is_over() -> None:
    course = Course(performed_at=NOON, excused_until=NOON + HOUR)
    assert excuse(course, host(), due=None, at=NOON + HOUR - SECOND) is course
    assert excuse(course, host(), due=None, at=NOON + HOUR).excused_until is None
    assert excuse(course, host(), due=NOON, at=NOON + LATE) is course
