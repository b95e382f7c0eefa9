"""The ledger, the worker and real receivers: in order, once, until received or given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from services.notifier.ledger import offsets
from services.notifier.ledger.dispatching import CLAIM, dispatch
from services.notifier.planning import Limits
from services.notifier.worker import Worker
from tests.fakes.alerts import transition
from tests.fakes.receiver import receiving
from tests.integration.notifier.ledger_lab import SECRET, Lab, channel, now
from vigilo.events.alerts import TransitionKind
from vigilo.events.envelope import Record

pytestmark = pytest.mark.postgres


@asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def until(lab: Lab, wanted: list[tuple[str, str, int]]) -> None:
    async with asyncio.timeout(20):
        while await lab.states() != wanted:  # noqa: ASYNC110 - a worker changes them
            await asyncio.sleep(0.02)


async def until_final(lab: Lab, count: int) -> list[tuple[str, str, int]]:
    async with asyncio.timeout(20):
        while True:
            states = await lab.states()
            if len(states) == count and all(status not in ("waiting", "retrying") for _, status, _ in states):
                return states
            await asyncio.sleep(0.02)


async def test_open_and_close_arrive_once_in_order_and_signed(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        opened = transition(TransitionKind.OPENED, channels=(one,))
        closed = transition(TransitionKind.CLOSED, n=2)
        await lab.enter(
            lab.record("channels", channel(one)), lab.record("alerts", opened), lab.record("alerts", closed)
        )
        async with working(lab.worker(), lab.worker()):
            assert await until_final(lab, 2) == [("opened", "delivered", 1), ("closed", "delivered", 1)]
    bodies = [Webhook(SECRET).verify(one.body, one.headers) for one in receiver.requests]
    assert [body["type"] for body in bodies] == ["alert.opened", "alert.closed"]
    # A connection is verified for one name; the next message may be for another name on the same address.
    assert len({one.client_port for one in receiver.requests}) == 2


async def test_a_redelivered_record_changes_nothing(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        records = [
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
        ]
        await lab.enter(*records)
        await lab.enter(*records)
        async with working(lab.worker()):
            assert await until_final(lab, 1) == [("opened", "delivered", 1)]
        assert len(receiver.requests) == 1


async def test_a_close_waits_for_its_open(lab: Lab) -> None:
    ahead = timedelta()

    def clock() -> datetime:
        return now() + ahead

    async with receiving() as receiver:
        receiver.answer = lambda _: web.Response(status=503)
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
            lab.record("alerts", transition(TransitionKind.CLOSED, n=2)),
        )
        worker = lab.worker(clock=clock)
        async with working(worker):
            await until(lab, [("opened", "retrying", 1), ("closed", "waiting", 0)])
            receiver.answer = lambda _: web.Response(status=200)
            ahead = timedelta(seconds=10)
            worker.wake()
            assert await until_final(lab, 2) == [("opened", "delivered", 2), ("closed", "delivered", 1)]
        ids = [one.webhook_id for one in receiver.requests]
        assert ids[0] == ids[1] != ids[2]


async def test_a_transition_before_its_channel_waits_for_it(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        await lab.enter(lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))))
        worker = lab.worker()
        async with working(worker):
            await asyncio.sleep(0.3)
            assert receiver.requests == []
            await lab.enter(lab.record("channels", channel(one)))
            worker.wake()
            assert await until_final(lab, 1) == [("opened", "delivered", 1)]


async def test_gone_closes_the_channel_until_its_next_version(lab: Lab) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: web.Response(status=410)
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
            lab.record("alerts", transition(TransitionKind.CLOSED, n=2)),
        )
        async with working(lab.worker()):
            assert [status for _, status, _ in await until_final(lab, 2)] == ["failed", "failed"]
        assert len(receiver.requests) == 1
        receiver.answer = lambda _: web.Response(status=200)
        await lab.enter(
            lab.record("channels", channel(one, version=2)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,), cause="card-2")),
        )
        async with working(lab.worker()):
            states = await until_final(lab, 3)
        assert ("opened", "delivered", 1) in states


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 502])
async def test_anything_but_2xx_is_tried_again(lab: Lab, status: int) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: web.Response(status=status, headers={"location": "http://127.0.0.1:1/"})
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
        )
        async with working(lab.worker()):
            await until(lab, [("opened", "retrying", 1)])
        assert len(receiver.requests) == 1


async def test_a_private_receiver_needs_a_grant(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
        )
        async with working(lab.worker(allow="")):
            await until(lab, [("opened", "retrying", 1)])
        assert receiver.requests == []


async def test_a_disabled_channel_gets_nothing(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one, enabled=False)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
        )
        async with working(lab.worker()):
            assert await until_final(lab, 1) == [("opened", "failed", 0)]
        assert receiver.requests == []


async def test_a_crash_after_the_claim_sends_the_same_id_again(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        await lab.enter(
            lab.record("channels", channel(one)),
            lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,))),
        )
        async with lab.pool.connection() as connection, connection.transaction():
            (claimed,) = await dispatch(connection, one, now=now(), slots=10, limits=Limits())
        # The process dies here; its claim runs out.
        async with lab.pool.connection() as connection, connection.transaction():
            assert await dispatch(connection, one, now=now(), slots=10, limits=Limits()) == []
            (again,) = await dispatch(
                connection, one, now=now() + CLAIM + timedelta(seconds=1), slots=10, limits=Limits()
            )
        assert (again.delivery_id, again.attempt, again.row.maybe_received) == (claimed.delivery_id, 2, True)
        assert not claimed.row.maybe_received


async def test_a_poison_record_goes_to_dead_letters_and_the_rest_is_entered(lab: Lab) -> None:
    async with receiving() as receiver:
        one = lab.add_channel(receiver.url)
        good = lab.record("alerts", transition(TransitionKind.OPENED, channels=(one,)))
        poison = Record("alerts", 0, good.offset + 1, 0, b"k", b"\xff\xfe", ())
        last = Record("alerts", 0, good.offset + 2, 0, b"k", b'{"alert_id": 1}', ())
        assert await lab.enter(lab.record("channels", channel(one)), good, poison, last) == 2
        async with lab.pool.connection() as connection:
            assert (await offsets.read_offsets(connection))[("alerts", 0)] == good.offset + 3
        async with working(lab.worker()):
            await until_final(lab, 1)


async def test_a_frozen_notifier_cannot_move_the_position_back(lab: Lab) -> None:
    one = lab.add_channel("http://127.0.0.1:9/hook")
    await lab.enter(lab.record("channels", channel(one)))
    async with lab.pool.connection() as connection, connection.transaction():
        with pytest.raises(offsets.OffsetsMoved):
            await offsets.advance(connection, "channels", 0, came_from=None, to=1)
    async with lab.pool.connection() as connection, connection.transaction():
        with pytest.raises(offsets.OffsetsMoved):
            await offsets.advance(connection, "channels", 0, came_from=7, to=8)
