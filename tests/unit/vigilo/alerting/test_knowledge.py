"""What is known after a card, and what an unknown leaves standing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.inputs import NOON, card
from tests.unit.vigilo.alerting.sights import cards, certificate, well
from vigilo.alerting.knowledge import Course, Knowledge, learn, learn_course
from vigilo.events.cards import Grade, ReportCard, Verdict
from vigilo.events.facts import StapleStatus
from vigilo.events.scans import Outcome

HOUR = timedelta(hours=1)


def full_card(**changes: object) -> ReportCard:
    """A card that tells everything."""
    fields: dict[str, object] = {
        "not_after": NOON + timedelta(days=60),
        "names": tuple(f"n{number}.example" for number in range(10)),
        "names_count": 40,
        "name_matches": Verdict.YES,
        "grade": Grade.A,
        "staple_status": StapleStatus.GOOD,
        "staple_wanted": True,
        "versions_accepted": ("TLSv1.3",),
        "versions_rejected": ("TLSv1.0",),
    }
    return card(requested_at=NOON, **{**fields, **changes})  # type: ignore[arg-type]


def test_a_card_teaches_what_it_tells_and_the_first_names() -> None:
    known = learn(None, full_card())
    assert known.names == ("n0.example", "n1.example", "n2.example", "n3.example", "n4.example")
    assert (known.names_count, known.grade, known.rulebook) == (40, Grade.A, "vigilo-2026")
    assert (known.staple_status, known.staple_wanted) == (StapleStatus.GOOD, True)
    assert (known.versions_accepted, known.versions_rejected) == (("TLSv1.3",), ("TLSv1.0",))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_of_a_failed_scan_only_path_and_names_survive(outcome: Outcome) -> None:
    seen = learn(None, full_card())
    failed = learn(seen, card(requested_at=NOON + HOUR, outcome=outcome))
    kept = {"path", "names", "names_count"}
    assert failed.model_dump(include=kept) == seen.model_dump(include=kept)
    unknown = Knowledge(outcome=outcome, rulebook="vigilo-2026", trust_store="test")
    assert failed.model_dump(exclude=kept) == unknown.model_dump(exclude=kept)


def test_of_a_suspect_pool_only_that_is_believed() -> None:
    seen = learn(None, full_card())
    other = full_card(pool_suspect=True, path=(certificate(subject="CN=portal"),), names=("portal",), names_count=1)
    suspect = learn(seen, other)
    kept = {"path", "names", "names_count"}
    assert suspect.model_dump(include=kept) == seen.model_dump(include=kept)
    assert suspect.model_dump(exclude=kept) == Knowledge(outcome=Outcome.OK, pool_suspect=True).model_dump(exclude=kept)


@given(st.none() | st.just(well()), cards)
def test_a_card_teaches_nothing_new_the_second_time(known: Knowledge | None, one: ReportCard) -> None:
    once = learn(known, one)
    assert learn(once, one) == once
    later = one.model_copy(update={"requested_at": one.requested_at + HOUR, "graded_at": one.graded_at + HOUR})
    assert learn(once, later) == once


@settings(max_examples=50)
@given(st.lists(cards, max_size=6))
def test_a_course_never_goes_back_and_stops_once(told: list[ReportCard]) -> None:
    course = Course()
    for one in sorted(told, key=lambda card: card.requested_at):
        after = learn_course(course, one)
        assert after == learn_course(after, one)
        for name in ("performed_at", "staple_good_at"):
            before, now = getattr(course, name), getattr(after, name)
            assert before is None or now >= before
            assert now in {before, one.requested_at}
        if course.staple_stopped_at is not None:
            assert after.staple_stopped_at in {None, course.staple_stopped_at}
        course = after


def test_what_is_known_of_a_host_stays_small() -> None:
    """It is kept for each host; a long chain of long names is the worst of it."""
    assert len(learn(None, full_card()).model_dump_json()) < 2_000
