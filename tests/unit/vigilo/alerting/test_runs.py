"""Runs of report cards: what goes on, what begins anew, what counts for nothing."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.vigilo.alerting.courses import courses, runs_of
from vigilo.alerting.knowledge import Course, learn, learn_course
from vigilo.alerting.runs import EARLY, extended
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.facts import StapleStatus

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def card(number: int, **fields: object) -> ReportCard:
    return inputs.card(requested_at=NOON + number * HOUR, **{"not_after": NOON + 60 * DAY, **fields})  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(courses)
def test_a_run_tells_after_each_of_its_cards_what_the_card_told(cards: list[ReportCard]) -> None:
    runs = runs_of(cards)
    assert sum(run.cards for run in runs) == len(cards)
    known, course = None, Course()
    for one in cards:
        known, course = learn(known, one), learn_course(course, one)
        (run,) = (run for run in runs if run.first_at <= one.requested_at <= run.last_at)
        assert (run.known, run.course_at(one.requested_at)) == (known, course)


@settings(max_examples=50, deadline=None)
@given(courses, st.randoms(use_true_random=False))
def test_late_and_repeated_cards_leave_the_runs_as_they_are(cards: list[ReportCard], chance: object) -> None:
    noise: list[ReportCard] = []
    for number, one in enumerate(cards):
        noise.append(one)
        earlier = cards[chance.randrange(number + 1)]  # type: ignore[attr-defined]
        noise += [earlier, earlier.model_copy(update={"late": True, "requested_at": one.requested_at + HOUR / 9})]
    assert runs_of(noise) == runs_of(cards)


def test_another_fact_or_a_pause_begins_a_run_and_ten_instants_are_kept() -> None:
    cards = [card(number) for number in range(20)] + [card(20, grade=Grade.F), card(30, grade=Grade.F)]
    first, second = runs_of([*cards, card(31, grade=Grade.F), card(32, grade=Grade.F)])[:2]
    assert (first.cards, len(first.early), first.longest_gap) == (20, EARLY, HOUR)
    assert (second.cards, second.longest_gap) == (4, 10 * HOUR)
    assert [run.cards for run in runs_of([*cards[:20], card(25)])] == [20, 1]


def test_a_staple_that_stops_is_remembered_by_the_run() -> None:
    good = {"staple_status": StapleStatus.GOOD, "staple_wanted": True}
    bad = {"staple_status": StapleStatus.NOT_STAPLED, "staple_wanted": True}
    runs = runs_of([*(card(number, **good) for number in range(5)), *(card(number, **bad) for number in range(5, 9))])
    assert [run.cards for run in runs] == [5, 4]
    assert runs[1].course_at(NOON + 8 * HOUR).staple_stopped_at == NOON + 5 * HOUR


def test_of_another_peer_nothing_is_known_yet_and_the_former_one_does_not_come_back() -> None:
    moved = inputs.host(version=2, hostname="new.example").target()
    here, there = card(0, grade=Grade.A), card(1, not_after=None, target=moved)
    first = extended(None, here)
    second = extended(first, there)
    assert second is not None and second.known.path == () and second.host_version == 2
    assert second.course.performed_at == there.requested_at
    assert extended(second, card(2)) is None
