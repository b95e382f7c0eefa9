"""What holds of every trigger: answers, foretold instants, words."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.inputs import NOON, rule
from tests.unit.vigilo.alerting.asked import every_trigger, models, triggers
from tests.unit.vigilo.alerting.sights import instants, judge, view, views, well
from vigilo.alerting import messages, threshold
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Course
from vigilo.alerting.threshold import QUESTIONS
from vigilo.alerting.view import View
from vigilo.events.alerts import AlertFacts, CloseReason, TransitionKind
from vigilo.events.help import Help
from vigilo.events.triggers import CertificateChanged, ExpiresInLessThan, OcspStaplingStops, ScanOverdue, Trigger

INSTANT = timedelta(microseconds=1)
BY_THE_CLOCK = (ExpiresInLessThan, ScanOverdue)


def test_every_trigger_has_a_question_and_no_question_lacks_a_trigger() -> None:
    assert set(QUESTIONS) == set(models())
    assert {type(trigger) for trigger in every_trigger()} == set(models())


@given(triggers, views, instants)
def test_every_view_has_an_answer_and_words(trigger: Trigger, seen: View, at: datetime) -> None:
    asked = threshold.question(trigger)
    assert asked.judge(trigger, seen, at) in Judgement
    assert isinstance(asked.applicable(trigger, seen), bool)
    assert asked.help(trigger, seen) in Help
    one = rule(trigger=trigger)
    for kind in (TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.PENDING):
        line = messages.summary(kind, one, seen, at=at, reason=CloseReason.CLEARED)
        assert line.isprintable()
        assert len(line) <= 512
    told = messages.facts(one, seen, at=at)
    assert AlertFacts.model_validate_json(told.model_dump_json()) == told


@given(triggers, views, instants, st.lists(st.integers(0, 10**9), max_size=5))
def test_an_answer_changes_at_the_instant_foretold_and_at_no_other(
    trigger: Trigger, seen: View, at: datetime, seconds: list[int]
) -> None:
    now, answer = at, threshold.judge(trigger, seen, at)
    while (foretold := threshold.next_change(trigger, seen, now)) is not None:
        assert isinstance(trigger, BY_THE_CLOCK)
        assert foretold > now
        for second in seconds:
            between = now + timedelta(seconds=second)
            assert between >= foretold or threshold.judge(trigger, seen, between) is answer
        assert threshold.judge(trigger, seen, foretold - INSTANT) is answer
        now, before, answer = foretold, answer, threshold.judge(trigger, seen, foretold)
        assert answer is not before
    for second in seconds:
        assert threshold.judge(trigger, seen, now + timedelta(seconds=second)) is answer


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: str(trigger.kind))
def test_of_a_host_of_which_nothing_is_known_nothing_is_said(trigger: Trigger) -> None:
    assert judge(trigger, None) is Judgement.UNKNOWN


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: str(trigger.kind))
def test_a_host_that_is_well_is_well_by_every_trigger(trigger: Trigger) -> None:
    told = threshold.judge(trigger, view(well(), Course(performed_at=NOON)), NOON)
    assert told is (Judgement.UNKNOWN if isinstance(trigger, CertificateChanged) else Judgement.FALSE)


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: str(trigger.kind))
def test_only_stapling_and_notices_can_lose_their_sense(trigger: Trigger) -> None:
    unwanted = view(well(staple_status=None, staple_wanted=False))
    idle = isinstance(trigger, OcspStaplingStops | CertificateChanged)
    assert threshold.question(trigger).applicable(trigger, unwanted) is not idle
