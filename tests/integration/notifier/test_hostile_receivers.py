"""Receivers that fail in every way there is: the schedule is kept, and nothing is lost. The clock is the test's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from services.notifier.channels.channel import ChannelSender
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.delivery import Attempt
from services.notifier.destinations import SealedDestinations
from services.notifier.http import HttpPoster
from services.notifier.ledger.recording import record
from services.notifier.records import Claimed
from services.notifier.schedule import WEBHOOK_DELAYS
from tests.fakes.alerts import transition
from tests.fakes.pki import Authority
from tests.fakes.receiver import receiving
from tests.integration.notifier.ledger_lab import Lab, channel
from tests.integration.notifier.stage import Stage, told
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.events.alerts import TransitionKind

pytestmark = pytest.mark.postgres

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RealStage(Stage):
    """A stage whose requests are real ones."""

    sender: ChannelSender
    attempts: list[Attempt]

    async def settle(self, claimed: Claimed) -> None:
        """A request over a socket, and the note of its end on the test's clock."""
        opened = SealedDestinations(self.lab.box).open(
            claimed.row.workspace_id, claimed.row.channel_id, claimed.key_id, claimed.sealed
        )
        attempt = await self.sender.send(opened, claimed.telling, delivery_id=claimed.delivery_id)
        self.sent.append((claimed.row.channel_id, told(claimed)))
        self.attempts.append(attempt)
        self.times.append(self.now)
        async with self.lab.pool.connection() as connection, connection.transaction():
            await record(connection, claimed, attempt, at=self.now, limits=self.limits)

    times: list[datetime]


@pytest.fixture
async def stage(lab: Lab) -> AsyncIterator[RealStage]:
    made = RealStage(lab)
    poster = HttpPoster(DeliveryEgress(parse_grants(["127.0.0.0/8:*"])))
    made.sender = WebhookChannel(poster, public_url="http://vigilo.test", clock=lambda: datetime.now(UTC))
    made.attempts, made.times = [], []
    yield made
    await poster.close()


@asynccontextmanager
async def raw(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does what no HTTP library would."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook"
    finally:
        server.close()


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)
    writer.transport.abort()


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.transport.abort()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.5)


async def opened(stage: Stage, url: str) -> None:
    one = stage.lab.add_channel(url)
    both = transition(TransitionKind.OPENED, channels=(one,)), transition(TransitionKind.CLOSED, n=2)
    await stage.enter(("channels", channel(one)), ("alerts", both[0]), ("alerts", both[1]))


@pytest.mark.parametrize(("status", "words"), [(500, "http-500"), (301, "http-301"), (404, "http-404")])
async def test_every_attempt_of_the_schedule_is_made_and_the_close_after_it(
    stage: RealStage, status: int, words: str
) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: web.Response(status=status, headers={"location": "http://127.0.0.1:1/"})
        await opened(stage, receiver.url)
        stage.limits = type(stage.limits)(opens_after=1000)  # the circuit has tests of its own
        await stage.rest(timedelta(days=3, hours=12))
        waits = [later - earlier for earlier, later in pairwise(stage.times)][: len(WEBHOOK_DELAYS)]
        for wait, planned in zip(waits, WEBHOOK_DELAYS, strict=True):
            assert planned <= wait <= planned * 1.1 + timedelta(seconds=1)
        (first, *_) = await stage.rows("kind, status, error_class, attempt")
        assert first == ("opened", "failed", words, len(WEBHOOK_DELAYS) + 1)


async def test_retry_after_is_waited_for(stage: RealStage) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda got: web.Response(status=429, headers={"retry-after": "90"})
        await opened(stage, receiver.url)
        await stage.work()
        receiver.answer = lambda _: web.Response(status=200)
        await stage.rest(timedelta(minutes=3))
    assert stage.times[1] - stage.times[0] >= timedelta(seconds=90)
    assert [word for _, word in stage.sent] == ["opened", "opened", "closed"]


async def test_a_reset_is_a_request_that_may_have_arrived(stage: RealStage) -> None:
    async with raw(resets) as url:
        await opened(stage, url)
        await stage.work()
    assert [(one.answer.value, one.error_class) for one in stage.attempts] == [("lost", "connection-lost")]
    assert await stage.rows("status, maybe_received") == [("retrying", True), ("waiting", False)]


async def test_a_certificate_nobody_trusts_is_a_request_that_never_left(stage: RealStage, tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Authority.create().leaf("127.0.0.1").load_into(tls, tmp_path)
    async with raw(hangs, tls) as url:
        await opened(stage, url)
        await stage.work()
    assert [(one.answer.value, one.error_class) for one in stage.attempts] == [("refused", "tls")]
    assert await stage.rows("status, maybe_received") == [("retrying", False), ("waiting", False)]


@pytest.mark.slow
@pytest.mark.parametrize("handler", [hangs, drips], ids=["hangs", "drips"])
async def test_no_receiver_holds_an_attempt_for_longer_than_its_claim(stage: RealStage, handler: Handler) -> None:
    async with raw(handler) as url:
        await opened(stage, url)
        await stage.work()
    assert [(one.answer.value, one.error_class) for one in stage.attempts] == [("lost", "timeout")]
