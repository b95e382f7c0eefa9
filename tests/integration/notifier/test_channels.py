"""Senders of every kind against receivers on loopback: what is received, and what each refusal becomes."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notifier.channels.alertmanager import AlertmanagerChannel
from services.notifier.channels.pagerduty import PagerDutyChannel
from services.notifier.channels.registry import senders
from services.notifier.channels.slack import SlackChannel
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.delivery import Answer, Attempt
from services.notifier.http import HttpPoster
from services.notifier.settings import NotifierSettings
from services.notifier.tellings import Telling
from tests.fakes.alertmanager import alertmanager
from tests.fakes.alerts import AT, transition
from tests.fakes.pagerduty import PagerDuty, Status, pagerduty
from tests.fakes.receiver import receiving
from tests.fakes.slack import slack
from tests.fakes.tellings import DELIVERY, digest, hostile_tellings, notice, opened, sample, told, usual_tellings
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.adapters.secrets import new_key
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import ChannelKind

PUBLIC = "https://vigilo.acme.test"
KEY = "k" * 32
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = DeliveryEgress(parse_grants(["127.0.0.0/8:*"]))


@asynccontextmanager
async def posting(egress: DeliveryEgress = LOOPBACK) -> AsyncIterator[HttpPoster]:
    """A poster that may reach loopback."""
    poster = HttpPoster(egress, tls=ssl.create_default_context())
    try:
        yield poster
    finally:
        await poster.close()


def sealed(credentials: Mapping[str, Any]) -> bytes:
    """Credentials as they are once opened."""
    return json.dumps(credentials).encode()


def state(kind: TransitionKind) -> Telling:
    """The usual alert in that state."""
    return told(opened().model_copy(update={"kind": kind}))


async def test_slack_takes_every_telling() -> None:
    everything = [*usual_tellings(), *hostile_tellings()]
    async with slack() as receiver, posting() as poster:
        channel = SlackChannel(poster, public_url=PUBLIC)
        answers = [
            (await channel.send(sealed({"url": receiver.url}), one, delivery_id=DELIVERY)).answer for one in everything
        ]
        assert receiver.refused == []
        assert answers == [Answer.ACCEPTED] * len(everything) == [Answer.ACCEPTED] * len(receiver.messages)


@pytest.mark.parametrize(
    ("status", "word", "answer"),
    [
        (400, "invalid_payload", Answer.INVALID),
        (400, "invalid_token\n", Answer.GONE),
        (403, "invalid_token", Answer.GONE),
        (403, "action_prohibited", Answer.GONE),
        (403, "<html>blocked by a proxy", Answer.REJECTED),
        (404, "no_service", Answer.GONE),
        (404, "channel_not_found", Answer.GONE),
        (410, "channel_is_archived", Answer.GONE),
        (302, "", Answer.REJECTED),
        (429, "rate_limited", Answer.REJECTED),
        (500, "rollup_error", Answer.REJECTED),
        (500, "invalid_token", Answer.REJECTED),
    ],
)
async def test_slack_refusals_are_final_or_not(status: int, word: str, answer: Answer) -> None:
    async with slack() as receiver, posting() as poster:
        receiver.status, receiver.word, receiver.retry_after = status, word, "30"
        channel = SlackChannel(poster, public_url=PUBLIC)
        attempt = await channel.send(sealed({"url": receiver.url}), sample(), delivery_id=DELIVERY)
        assert (attempt.answer, attempt.http_status, attempt.error_class) == (answer, status, f"http-{status}")
        assert attempt.retry_after == timedelta(seconds=30)


async def page(receiver: PagerDuty, poster: HttpPoster, *told_of: Telling) -> list[Attempt]:
    """What became of each telling."""
    channel = PagerDutyChannel(poster, public_url=PUBLIC)
    credentials = sealed({"routing_key": KEY, "url": receiver.url})
    return [await channel.send(credentials, one, delivery_id=DELIVERY) for one in told_of]


async def test_pagerduty_has_one_incident_for_one_alert() -> None:
    async with pagerduty() as receiver, posting() as poster:
        told_of = [state(kind) for kind in (TransitionKind.OPENED, TransitionKind.REMINDER)]
        await page(receiver, poster, *told_of)
        (incident,) = receiver.incidents.open()
        assert (incident.dedup_key, incident.status, len(incident.events)) == (
            str(opened().alert_id),
            Status.TRIGGERED,
            2,
        )
        await page(receiver, poster, state(TransitionKind.ACKNOWLEDGED))
        assert incident.status is Status.ACKNOWLEDGED
        await page(receiver, poster, state(TransitionKind.CLOSED))
        assert receiver.incidents.open() == []
        assert len(receiver.incidents.all) == 1


async def test_pagerduty_takes_every_telling_and_tests_leave_nobody_paged() -> None:
    async with pagerduty() as receiver, posting() as poster:
        attempts = await page(receiver, poster, *usual_tellings(), *hostile_tellings())
        assert {one.answer for one in attempts} == {Answer.ACCEPTED}
        assert receiver.refused == []
        tests = [one for one in receiver.incidents.all if one.dedup_key.startswith("vigilo-test")]
        assert {one.status for one in tests} == {Status.RESOLVED}


async def test_pagerduty_wakes_nobody_for_notices_and_digests() -> None:
    async with pagerduty() as receiver, posting() as poster:
        await page(receiver, poster, notice(), digest(), state(TransitionKind.PENDING))
        assert receiver.incidents.all == []
        assert len(receiver.changes) == 3


@pytest.mark.parametrize(
    ("status", "answer"),
    [(400, Answer.INVALID), (429, Answer.REJECTED), (200, Answer.REJECTED), (503, Answer.REJECTED)],
)
async def test_pagerduty_answers(status: int, answer: Answer) -> None:
    async with pagerduty() as receiver, posting() as poster:
        receiver.status = status
        (attempt,) = await page(receiver, poster, state(TransitionKind.OPENED))
        assert attempt.answer is answer


async def test_a_key_that_pagerduty_does_not_know_ends_the_channel_but_not_one_that_takes_no_changes() -> None:
    async with pagerduty() as receiver, posting() as poster:
        receiver.status, receiver.word = 400, '{"status":"invalid event","errors":["Invalid routing key"]}'
        alert, change = await page(receiver, poster, state(TransitionKind.OPENED), notice())
        assert (alert.answer, change.answer) == (Answer.GONE, Answer.INVALID)
        receiver.word = '{"errors":["Length of \'routing_key\' is incorrect (should be 32 characters)"]}'
        assert [one.answer for one in await page(receiver, poster, sample())] == [Answer.GONE]


async def test_a_test_of_pagerduty_that_was_cut_short_ends_resolved_when_made_again() -> None:
    async with pagerduty() as receiver, posting() as poster:
        receiver.status, receiver.takes_it_all_the_same = 503, True
        (first,) = await page(receiver, poster, sample())
        assert first.answer is Answer.REJECTED
        assert len(receiver.incidents.open()) == 1
        receiver.status = 202
        await page(receiver, poster, sample())
        assert (len(receiver.incidents.all), receiver.incidents.open()) == (1, [])


async def test_alertmanager_keeps_an_open_alert_until_it_is_closed() -> None:
    now = AT
    async with alertmanager() as receiver, posting() as poster:
        receiver.authorization = f"Basic {base64.b64encode(b'vigilo:secret').decode()}"
        channel = AlertmanagerChannel(poster, public_url=PUBLIC, clock=lambda: now)
        credentials = sealed({"url": receiver.url, "username": "vigilo", "password": "secret"})
        await channel.send(credentials, state(TransitionKind.OPENED), delivery_id=DELIVERY)
        assert len(receiver.firing(AT + timedelta(minutes=4))) == 1
        assert receiver.firing(AT + timedelta(minutes=6)) == []
        now = AT + timedelta(minutes=4)
        await channel.send_many(credentials, [opened()])
        assert len(receiver.firing(AT + timedelta(minutes=6))) == 1
        closed = opened().model_copy(update={"kind": TransitionKind.CLOSED, "at": now})
        await channel.send(credentials, told(closed), delivery_id=DELIVERY)
        assert len(receiver.alerts) == 1
        assert receiver.firing(now) == []


async def test_alertmanager_takes_thousands_of_repeated_alerts_in_few_requests() -> None:
    many = [transition(TransitionKind.OPENED, cause=f"card-{number}") for number in range(1_200)]
    async with alertmanager() as receiver, posting() as poster:
        receiver.authorization = "Bearer t0ken"
        channel = AlertmanagerChannel(poster, public_url=PUBLIC, clock=lambda: AT)
        attempt = await channel.send_many(sealed({"url": f"{receiver.url}/", "bearer_token": "t0ken"}), many)
        assert (attempt.answer, receiver.requests, len(receiver.alerts)) == (Answer.ACCEPTED, 3, 1_200)
        wrong = await channel.send_many(sealed({"url": receiver.url, "bearer_token": "other"}), many)
        assert (wrong.answer, wrong.http_status, receiver.requests) == (Answer.REJECTED, 401, 4)


async def test_webhooks_are_signed_for_each_attempt() -> None:
    moments = iter([AT, AT + timedelta(minutes=1)])

    def clock() -> datetime:
        return next(moments)

    async with receiving() as receiver, posting() as poster:
        channel = WebhookChannel(poster, public_url=PUBLIC, clock=clock)
        for _ in range(2):
            credentials = sealed({"url": receiver.url, "secret": SECRET})
            assert (await channel.send(credentials, told(opened()), delivery_id=DELIVERY)).answer is Answer.ACCEPTED
        first, second = receiver.requests
        assert first.body == second.body
        assert first.webhook_id == second.webhook_id == str(DELIVERY)
        assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60


async def test_no_kind_goes_where_the_policy_forbids_and_none_breaks_on_bad_credentials(tmp_path: Path) -> None:
    settings = NotifierSettings(
        database_url="postgresql://nobody@127.0.0.1/none",
        secret_keys=new_key("one"),
        smtp_host="127.0.0.1",
        smtp_from="Vigilo <v@acme.test>",
    )
    credentials: dict[ChannelKind, dict[str, Any]] = {
        ChannelKind.WEBHOOK: {"url": "http://127.0.0.1:9/hook", "secret": SECRET},
        ChannelKind.SLACK: {"url": "https://127.0.0.1:9/services"},
        ChannelKind.PAGERDUTY: {"routing_key": KEY, "url": "http://169.254.169.254"},
        ChannelKind.EMAIL: {"to": ["ada@acme.test"]},
        ChannelKind.ALERTMANAGER: {"url": "http://[::1]:9093"},
    }
    async with posting(settings.delivery_egress()) as poster:
        made = senders(settings, poster, clock=lambda: AT)
        assert set(made) == set(ChannelKind)
        for kind, channel in made.items():
            denied = await channel.send(sealed(credentials[kind]), told(opened()), delivery_id=DELIVERY)
            broken = await channel.send(b"{}", told(opened()), delivery_id=DELIVERY)
            assert (denied.answer, denied.error_class) == (Answer.REFUSED, "egress-denied"), kind
            assert (broken.answer, broken.error_class) == (Answer.REFUSED, "misconfigured"), kind
