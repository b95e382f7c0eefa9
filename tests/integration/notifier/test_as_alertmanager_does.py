"""What Alertmanager's acceptance tests ask (TestRetry, TestReload, TestColdStart), and what it asks of clients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.notifier.delivery import Answer, Attempt
from services.notifier.destinations import SealedDestinations
from services.notifier.repeating import Repeater
from services.notifier.tellings import Telling
from tests.integration.notifier.ledger_lab import Lab, channel
from tests.integration.notifier.stage import DOWN, OK, START, Stage, alerts
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.rules import ChannelKind, Route

pytestmark = pytest.mark.postgres

OPENED, CLOSED = TransitionKind.OPENED, TransitionKind.CLOSED


class Repeated:
    """An Alertmanager that remembers what was posted together."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.answer = OK

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        raise AssertionError("a repetition is no delivery")

    async def send_many(self, credentials: bytes, transitions: Iterable[AlertTransition]) -> Attempt:
        self.rounds.append([one.kind.value for one in transitions])
        return self.answer


async def test_one_of_two_receivers_fails_and_the_other_gets_it_once(lab: Lab) -> None:
    stage = Stage(lab)
    good, bad = lab.add_channel("https://x.test/"), lab.add_channel("https://y.test/")
    stage.answers = lambda claimed: DOWN if claimed.row.channel_id == bad else OK
    await stage.enter(("channels", channel(good)), ("channels", channel(bad)), *alerts(OPENED, 1, good, bad))
    await stage.rest(timedelta(minutes=5))
    stage.answers = lambda _: OK
    await stage.rest(timedelta(minutes=15))
    assert [one for one, _ in stage.sent].count(good) == 1
    assert [one for one, _ in stage.sent].count(bad) > 2
    assert {status for (status,) in await stage.rows("status")} == {"delivered"}


async def test_a_changed_channel_and_a_restart_tell_nothing_again(lab: Lab) -> None:
    stage = Stage(lab)
    one = lab.add_channel("https://x.test/")
    opened = alerts(OPENED, 2, one)
    await stage.enter(("channels", channel(one)), *opened)
    await stage.work()
    await stage.enter(("channels", channel(one, version=2, routes=(Route(),))), *opened)
    again = Stage(lab, now=stage.now + timedelta(minutes=1))
    await again.rest(timedelta(hours=1))
    assert (len(stage.sent), again.sent) == (2, [])


async def test_what_waited_while_no_notifier_ran_is_told_at_its_start(lab: Lab) -> None:
    stage = Stage(lab)
    one, routed = lab.add_channel("https://x.test/"), lab.add_channel("https://y.test/")
    # Kafka may hand over the alert first: channels of the same batch count all the same.
    await stage.enter(
        *alerts(OPENED, 1, one), ("channels", channel(one)), ("channels", channel(routed, routes=(Route(),)))
    )
    later = Stage(lab, now=START + timedelta(hours=8))
    await later.work()
    assert sorted(later.sent) == sorted([(one, "opened"), (routed, "opened")])


async def test_an_alertmanager_is_told_again_of_what_is_open_and_for_a_while_of_what_has_closed(lab: Lab) -> None:
    stage, receiver = Stage(lab), Repeated()
    one = lab.add_channel("https://x.test/", kind=ChannelKind.ALERTMANAGER)

    def clock() -> datetime:
        return stage.now

    def repeater() -> Repeater:
        return Repeater(lab.pool, {ChannelKind.ALERTMANAGER: receiver}, SealedDestinations(lab.box), clock=clock)

    await stage.enter(("channels", channel(one, kind=ChannelKind.ALERTMANAGER)), *alerts(OPENED, 2, one))
    first, second = repeater(), repeater()
    assert await first.round() == 0, "nothing has been delivered yet"
    await stage.work()
    stage.now += timedelta(seconds=61)
    assert await first.round() + await second.round() == 1
    await stage.enter(*alerts(CLOSED, 1, n=2))
    await stage.work()
    for minutes in (1, 2, 3):
        stage.now += timedelta(seconds=61 * minutes)
        await second.round()
    assert receiver.rounds == [["opened"] * 2, ["closed", "opened"], ["closed", "opened"], ["opened"]]
    told_before = len(await stage.events())
    receiver.answer = Attempt(Answer.REJECTED, 503, "http-503")
    for _ in range(70):
        stage.now += timedelta(seconds=61)
        await first.round()
    assert 4 + 5 < len(receiver.rounds) < 4 + 5 + 20, "then the circuit is open, and rounds are probes"
    receiver.answer = OK
    for _ in range(12):
        stage.now += timedelta(seconds=61)
        await first.round()
    assert receiver.rounds[-2:] == [["opened"], ["opened"]], "it is back, and had forgotten everything"
    assert len(await stage.events()) == told_before


async def test_of_an_alertmanager_that_is_away_others_are_told_though_nothing_waits(lab: Lab) -> None:
    stage, receiver = Stage(lab), Repeated()
    one, other = lab.add_channel("https://x.test/", kind=ChannelKind.ALERTMANAGER), lab.add_channel("https://y.test/")
    repeater = Repeater(
        lab.pool, {ChannelKind.ALERTMANAGER: receiver}, SealedDestinations(lab.box), clock=lambda: stage.now
    )
    await stage.enter(("channels", channel(one, kind=ChannelKind.ALERTMANAGER)), ("channels", channel(other)))
    await stage.enter(*alerts(OPENED, 1, one))
    await stage.work()
    receiver.answer = DOWN
    for answer in (DOWN, OK):
        receiver.answer = answer
        for _ in range(40):
            stage.now += timedelta(seconds=61)
            await repeater.round()
    await stage.work()
    assert [word for to, word in stage.sent if to == other] == [
        "The alertmanager channel 'ops' keeps failing",
        "The alertmanager channel 'ops' works again",
    ]


async def test_a_close_that_was_given_up_lets_the_alert_lapse(lab: Lab) -> None:
    stage, receiver = Stage(lab), Repeated()
    one = lab.add_channel("https://x.test/", kind=ChannelKind.ALERTMANAGER)
    repeater = Repeater(
        lab.pool, {ChannelKind.ALERTMANAGER: receiver}, SealedDestinations(lab.box), clock=lambda: stage.now
    )
    await stage.enter(("channels", channel(one, kind=ChannelKind.ALERTMANAGER)), *alerts(OPENED, 1, one))
    await stage.work()
    stage.answers = lambda _: Attempt(Answer.INVALID, 400, "http-400")
    await stage.enter(*alerts(CLOSED, 1, n=2))
    await stage.work()
    for _ in range(10):
        stage.now += timedelta(seconds=61)
        await repeater.round()
    assert 3 <= len(receiver.rounds) <= 5
    assert {tuple(kinds) for kinds in receiver.rounds} == {("closed",)}


async def test_a_channel_of_another_workspace_is_told_nothing(lab: Lab) -> None:
    stage = Stage(lab)
    one = lab.add_channel("https://x.test/")
    foreign = channel(one).model_copy(update={"workspace_id": uuid4()})
    await stage.enter(("channels", foreign), *alerts(OPENED, 1, one))
    await stage.work()
    assert stage.sent == []
    assert await stage.rows("status, error_class") == [("failed", "channel-of-another-workspace")]
