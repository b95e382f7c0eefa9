"""What an attempt says of its channel, and what other channels hear of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import TRAITS
from services.notifier.circuit import Circuit
from services.notifier.delivery import Answer, Attempt
from services.notifier.health import Health, Trouble, Word, health_after, trouble_notice, works_notice
from services.notifier.planning import Limits
from services.notifier.records import ChannelState
from services.notifier.schedule import RETRY_AFTER_MAX
from services.notifier.tellings import NoticeTelling
from vigilo.events.rules import ChannelKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=15)
OTHER = UUID(int=3)
GONE, INVALID, REJECTED = Attempt(Answer.GONE, 404, "http-404"), Attempt(Answer.INVALID, 400), Attempt(Answer.REJECTED)


def channel(since: datetime | None = None, *, told: datetime | None = None) -> ChannelState:
    traits = TRAITS[ChannelKind.SLACK]
    bucket, circuit = Bucket(5, NOW, traits.per_minute, traits.burst), Circuit(failing_since=since)
    return ChannelState(UUID(int=2), UUID(int=1), ChannelKind.SLACK, "#tls", None, bucket, circuit, told)


def after(state: ChannelState, attempt: Attempt, *, of_alert: bool = True) -> Health:
    return health_after(state, attempt, probe=False, of_alert=of_alert, at=NOW, limits=Limits())


@pytest.mark.parametrize(
    ("state", "attempt", "of_alert", "trouble"),
    [
        (channel(), GONE, False, Trouble.GONE),
        (channel(LONG_AGO, told=LONG_AGO), GONE, True, Trouble.GONE),
        (channel(), INVALID, True, Trouble.REFUSED),
        (channel(), INVALID, False, None),
        (channel(), REJECTED, True, None),
        (channel(LONG_AGO), REJECTED, True, Trouble.FAILING),
        (channel(LONG_AGO), INVALID, False, Trouble.FAILING),
        (channel(LONG_AGO + timedelta(seconds=1)), REJECTED, True, None),
        (channel(LONG_AGO, told=LONG_AGO), REJECTED, True, None),
        (channel(LONG_AGO, told=NOW - timedelta(days=9)), REJECTED, True, Trouble.FAILING),
        (channel(LONG_AGO), Attempt(Answer.ACCEPTED, 200), True, None),
    ],
)
def test_others_are_told_of_trouble_once(
    state: ChannelState, attempt: Attempt, of_alert: bool, trouble: Trouble | None
) -> None:
    told = after(state, attempt, of_alert=of_alert).tells
    assert (None if told is None else told.trouble) is trouble
    assert told is None or told.since == (state.circuit.failing_since or NOW)


def test_only_a_success_is_news_to_those_who_were_told() -> None:
    state = channel(LONG_AGO, told=LONG_AGO)
    assert after(state, Attempt(Answer.ACCEPTED, 200)).tells_works == LONG_AGO
    assert after(state, REJECTED).tells_works is None
    assert after(channel(), Attempt(Answer.ACCEPTED, 200)).tells_works is None


def test_a_receiver_that_asks_for_a_pause_gets_one_of_a_day_at_most() -> None:
    asked = Attempt(Answer.REJECTED, 429, retry_after=timedelta(days=30))
    assert after(channel(), asked).bucket.ready_at() == NOW + RETRY_AFTER_MAX
    polite = Attempt(Answer.ACCEPTED, 200, retry_after=timedelta(days=30))
    assert after(channel(), polite).bucket.ready(NOW)


@pytest.mark.parametrize(
    ("word", "title", "says"),
    [
        (Word(Trouble.GONE, NOW, "http-404"), "The slack channel '#tls' is gone", "http-404"),
        (Word(Trouble.FAILING, NOW), "The slack channel '#tls' keeps failing", "2026-11-24 12:00 UTC"),
        (Word(Trouble.REFUSED, NOW, "http-400"), "The slack channel '#tls' refused an alert", "http-400"),
    ],
)
def test_notices_say_what_is_the_matter(word: Word, title: str, says: str) -> None:
    made = trouble_notice(channel(), word, OTHER, at=NOW)
    assert isinstance(made.telling, NoticeTelling)
    assert (made.channel_id, made.telling.title) == (OTHER, title)
    assert says in made.telling.text


def test_each_notice_is_one_delivery_however_often_it_is_made() -> None:
    first, later = NOW, NOW + timedelta(hours=1)
    made = [trouble_notice(channel(), Word(one, NOW), OTHER, at=at) for one in Trouble for at in (first, later)]
    made += [works_notice(channel(), NOW, OTHER, at=at) for at in (first, later)]
    assert len({one.delivery_id for one in made}) == 4
