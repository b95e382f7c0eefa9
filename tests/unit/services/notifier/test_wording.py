"""What every channel says alike."""

from __future__ import annotations

import pytest

from services.notifier.channels.wording import facts_of
from tests.fakes.tellings import opened
from vigilo.events.triggers import ExpiresInLessThan


@pytest.mark.parametrize(("left", "told"), [(5.0, "5.0"), (4.9999, "4.9"), (0.04, "0.0"), (-0.0001, "-0.1")])
def test_days_left_never_say_more_than_there_is(left: float, told: str) -> None:
    usual = opened()
    shown = facts_of(usual.model_copy(update={"facts": usual.facts.model_copy(update={"days_left": left})}))
    assert {fact.label: fact.value for fact in shown}["Days left"] == told


def test_a_share_is_told_without_a_tail_of_digits() -> None:
    usual = opened()
    trigger = ExpiresInLessThan(days=3650, share=1 / 3)
    shown = facts_of(usual.model_copy(update={"rule": usual.rule.model_copy(update={"trigger": trigger})}))
    asked = {fact.label: fact.value for fact in shown}["Asked"]
    assert asked == "expires-in-less-than (days 3650, share 0.333, include leaf)"


@pytest.mark.parametrize(
    ("cause", "told"),
    [("scan", "scan"), ("host", "host: it was edited, paused or resumed, or its snooze ended"), ("other", "other")],
)
def test_what_decided_is_told_in_words(cause: str, told: str) -> None:
    shown = facts_of(opened().model_copy(update={"cause": cause}))
    assert {fact.label: fact.value for fact in shown}["Decided by"] == told
