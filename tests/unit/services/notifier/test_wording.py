"""What every channel says alike."""

from __future__ import annotations

import pytest

from services.notifier.channels import webhook
from services.notifier.channels.wording import facts_of, worded
from tests.fakes.tellings import acknowledged_by, named, opened, sample
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


@pytest.mark.parametrize(
    ("by", "name", "told"),
    [
        ("user:018f3e5c-0000-7000-8000-000000000001", "Ada", "Ada"),
        ("user:018f3e5c-0000-7000-8000-000000000001", None, "somebody"),
        ("token:018f3e5c-0000-7000-8000-000000000001", "deploy", "the token 'deploy'"),
        ("token:018f3e5c-0000-7000-8000-000000000001", None, "a token"),
        ("system", None, "system"),
    ],
)
def test_who_did_it_is_told_by_name(by: str, name: str | None, told: str) -> None:
    shown = worded(named(acknowledged_by(by), name), public_url="https://v.test")
    assert {fact.label: fact.value for fact in shown.facts}["By"] == told
    asked = worded(sample().model_copy(update={"by": by, "by_name": name}), public_url="https://v.test")
    assert asked.text == f"Asked for by {told}. The channel works; nothing is wrong."


def test_webhooks_tell_the_id_and_the_name_beside_it() -> None:
    telling = named(acknowledged_by("user:x"), "Ada")
    data = webhook.render(telling, public_url="https://v.test")["data"]
    assert (data["by"], data["by_name"]) == ("user:x", "Ada")
    asked = webhook.render(sample().model_copy(update={"by": "user:x", "by_name": "Ada"}), public_url="https://v.test")
    assert (asked["data"]["by"], asked["data"]["by_name"]) == ("user:x", "Ada")
    assert asked["data"]["summary"] == "Test message for the channel ops, asked for by Ada"


def test_a_name_is_not_kept_with_what_is_told() -> None:
    telling = named(acknowledged_by("user:x"), "Ada")
    assert "Ada" not in telling.model_dump_json()
    assert "Ada" not in sample().model_copy(update={"by_name": "Ada"}).model_dump_json()
