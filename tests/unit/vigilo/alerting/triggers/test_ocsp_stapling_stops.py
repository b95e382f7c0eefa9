"""Staples that stop coming, and certificates that need none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.inputs import NOON, card
from tests.unit.vigilo.alerting.sights import DAY, cleared, judge, matter, view, well
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Course, Knowledge, learn, learn_course
from vigilo.alerting.triggers.ocsp_stapling_stops import applicable
from vigilo.events.facts import StapleStatus
from vigilo.events.scans import Outcome
from vigilo.events.triggers import OcspStaplingStops

STOPS = OcspStaplingStops()
TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN
GOOD, MISSING = StapleStatus.GOOD, StapleStatus.NOT_STAPLED


def after(*scans: tuple[datetime, dict[str, Any]]) -> tuple[Knowledge | None, Course]:
    """What is known after these scans of a certificate with a responder."""
    known, course = None, Course()
    for at, seen in scans:
        one = card(requested_at=at, **{"not_after": NOON + 90 * DAY, "staple_wanted": True, **seen})
        known, course = learn(known, one), learn_course(course, one)
    return known, course


def answer(*scans: tuple[datetime, dict[str, Any]], at: datetime = NOON) -> Judgement:
    known, course = after(*scans)
    return judge(STOPS, known, at, course)


def stapled(status: StapleStatus | None) -> dict[str, Any]:
    return {"staple_status": status}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (GOOD, FALSE),
        (MISSING, TRUE),
        (StapleStatus.EXPIRED, TRUE),
        (StapleStatus.INVALID, TRUE),
        (StapleStatus.UNKNOWN, TRUE),
        (StapleStatus.REVOKED, UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_what_counts_as_stopped(status: StapleStatus | None, expected: Judgement) -> None:
    assert answer((NOON - DAY, stapled(GOOD)), (NOON, stapled(status))) is expected


def test_a_host_that_never_stapled_or_long_ago_has_not_stopped() -> None:
    assert answer((NOON, stapled(MISSING))) is FALSE
    assert answer((NOON - 31 * DAY, stapled(GOOD)), (NOON, stapled(MISSING))) is FALSE
    assert answer((NOON - 30 * DAY, stapled(GOOD)), (NOON, stapled(MISSING))) is TRUE


def test_what_has_stopped_has_stopped_until_it_comes_back_however_long_that_takes() -> None:
    scans = [(NOON, stapled(GOOD)), *((NOON + n * DAY, stapled(MISSING)) for n in range(1, 50))]
    assert answer(*scans, at=NOON + 400 * DAY) is TRUE
    assert answer(*scans, (NOON + 50 * DAY, stapled(GOOD))) is FALSE
    again = (NOON + 50 * DAY, stapled(GOOD)), (NOON + 51 * DAY, stapled(MISSING))
    assert answer(*scans, *again) is TRUE


def test_failed_scans_between_lose_nothing() -> None:
    gone = {"not_after": None, "staple_wanted": None, "outcome": Outcome.REFUSED}
    stopped = (NOON, stapled(GOOD)), (NOON + DAY, stapled(MISSING))
    assert answer(*stopped, (NOON + 2 * DAY, gone)) is UNKNOWN
    assert answer(*stopped, (NOON + 2 * DAY, gone), (NOON + 40 * DAY, stapled(MISSING))) is TRUE


def test_a_scan_by_a_suspect_pool_moves_no_staple() -> None:
    suspect = {"pool_suspect": True}
    _, course = after((NOON, stapled(GOOD)), (NOON + DAY, {**stapled(MISSING), **suspect}))
    assert (course.staple_good_at, course.staple_stopped_at) == (NOON, None)
    _, course = after((NOON + 2 * DAY, {**stapled(GOOD), **suspect}))
    assert course.staple_good_at is None


def test_a_certificate_that_wants_no_staple_makes_the_question_idle() -> None:
    renewed = {"staple_status": StapleStatus.NOT_OFFERED, "staple_wanted": False}
    scans = (NOON, stapled(GOOD)), (NOON + DAY, stapled(MISSING)), (NOON + 2 * DAY, renewed)
    known, course = after(*scans)
    assert not applicable(STOPS, view(known, course))
    assert judge(STOPS, known, NOON, course) is FALSE
    assert course.staple_stopped_at is None
    # A scan that saw no certificate leaves an alert as it is.
    assert applicable(STOPS, view(well(staple_wanted=None)))
    assert applicable(STOPS, view(None))


def test_a_certificate_that_wants_one_again_is_judged_again() -> None:
    renewed = {"staple_status": StapleStatus.NOT_OFFERED, "staple_wanted": False}
    scans = (NOON, stapled(GOOD)), (NOON + DAY, renewed), (NOON + 2 * DAY, stapled(MISSING))
    assert answer(*scans) is TRUE


def test_the_words_say_how_and_since_when() -> None:
    known, course = after((NOON, stapled(GOOD)), (NOON + timedelta(hours=1), stapled(StapleStatus.EXPIRED)))
    assert matter(STOPS, known, NOON, course) == (
        "OCSP stapling stopped (the stapled response has expired), last good 2026-11-23 12:00 UTC"
    )
    assert cleared(STOPS, well()) == "a good OCSP response is stapled"
