"""Silence, by the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes.inputs import NOON, card, host
from tests.unit.vigilo.alerting.sights import DAY, view, well
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Course, learn_course, watch
from vigilo.alerting.triggers.scan_overdue import QUESTION, judge, next_change
from vigilo.events.hosts import HostStatus, Interval
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ScanOverdue

OVERDUE = ScanOverdue(intervals=3)
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN


@pytest.mark.parametrize("interval", Interval)
def test_three_intervals_are_counted_from_the_last_scan_performed(interval: Interval) -> None:
    seen = view(well(), Course(performed_at=NOON), interval=interval)
    due = NOON + 3 * interval.length
    assert next_change(OVERDUE, seen, NOON) == due
    assert judge(OVERDUE, seen, due - INSTANT) is FALSE
    assert judge(OVERDUE, seen, due) is TRUE
    assert next_change(OVERDUE, seen, due) is None


def test_a_host_that_nobody_ever_scanned_is_overdue_since_it_is_watched() -> None:
    added = watch(Course(), None, host(interval=Interval.H1), NOON)
    assert judge(OVERDUE, view(None, added, interval=Interval.H1), NOON + 3 * HOUR) is TRUE
    assert judge(OVERDUE, view(None, Course()), NOON) is UNKNOWN


def test_a_resumed_host_has_its_time_and_so_has_one_with_another_interval() -> None:
    scanned = Course(performed_at=NOON - 10 * DAY, watched_since=NOON - 20 * DAY)
    before = host(interval=Interval.H24)
    paused = before.model_copy(update={"status": HostStatus.PAUSED})
    assert watch(scanned, before, paused, NOON) == scanned
    assert watch(scanned, paused, before, NOON).watched_since == NOON
    hourly = before.model_copy(update={"interval": Interval.H1})
    assert watch(scanned, before, hourly, NOON).watched_since == NOON
    renamed = before.model_copy(update={"owner": "somebody else"})
    assert watch(scanned, before, renamed, NOON) == scanned
    assert watch(Course(), before, renamed, NOON).watched_since == NOON


def test_a_longer_interval_gives_more_time_at_once() -> None:
    course = Course(performed_at=NOON)
    at = NOON + 4 * HOUR
    assert judge(OVERDUE, view(well(), course, interval=Interval.H1), at) is TRUE
    assert judge(OVERDUE, view(well(), course, interval=Interval.H6), at) is FALSE


def test_another_peer_has_staples_of_its_own() -> None:
    course = Course(watched_since=NOON, staple_good_at=NOON, staple_stopped_at=NOON)
    moved = watch(course, host(), host(address="192.0.2.9"), NOON)
    assert (moved.staple_good_at, moved.staple_stopped_at, moved.watched_since) == (None, None, NOON)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_performed(outcome: Outcome) -> None:
    nobody_looked = outcome in {Outcome.NOT_PERFORMED, Outcome.DENIED}
    course = learn_course(Course(performed_at=NOON), card(requested_at=NOON + HOUR, outcome=outcome))
    assert course.performed_at == (NOON if nobody_looked else NOON + HOUR)


def test_a_pool_without_a_network_performs_its_scans() -> None:
    course = learn_course(Course(), card(requested_at=NOON, pool_suspect=True))
    assert course.performed_at == NOON


def test_while_we_were_away_nobody_can_tell() -> None:
    course = Course(performed_at=NOON, excused_until=NOON + 5 * HOUR)
    seen = view(well(), course, interval=Interval.H1)
    assert judge(OVERDUE, seen, NOON + 3 * HOUR) is UNKNOWN
    assert next_change(OVERDUE, seen, NOON + 3 * HOUR) == NOON + 5 * HOUR
    assert judge(OVERDUE, seen, NOON + 5 * HOUR) is TRUE


def test_the_words_say_for_how_long_and_why() -> None:
    refused = well(outcome=Outcome.NOT_PERFORMED)
    told = QUESTION.matter(OVERDUE, view(refused, Course(performed_at=NOON), interval=Interval.H1), NOON + 5 * HOUR)
    assert told == (
        "no scan for 5 hours (due every 1h, last 2026-11-23 12:00 UTC, since then: no scanner took the scan)"
    )
    never = QUESTION.matter(OVERDUE, view(None, Course(watched_since=NOON), interval=Interval.M5), NOON + HOUR)
    assert never == "no scan was performed yet (due every 5m)"
    assert QUESTION.cleared(OVERDUE, view(well(), Course(performed_at=NOON)), NOON) == (
        "scanned again (2026-11-23 12:00 UTC)"
    )
