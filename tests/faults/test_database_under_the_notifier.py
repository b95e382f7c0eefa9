"""PostgreSQL is killed under working notifiers: they come back by themselves, and every receiver gets everything."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import web

from tests.fakes.alerts import transition
from tests.fakes.receiver import Received, Receiver, receiving
from tests.faults.alerting.servers import own_database
from tests.integration.notifier.ledger_lab import channel, ledger_lab
from vigilo.events.alerts import TransitionKind

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(240)]

_ALERTS, _KILLS = 150, 3


def seen_at_least(count: int, receiver: Receiver) -> bool:
    """True once so many deliveries have come at all."""
    return len(receiver.ids()) >= count


async def test_nothing_is_lost_when_the_database_dies_again_and_again(tmp_path: Path) -> None:
    with own_database(tmp_path) as server:
        async with ledger_lab(server.address) as lab, receiving() as receiver:
            one = lab.add_channel(receiver.url)
            records = [lab.record("channels", channel(one))]
            for number in range(_ALERTS):
                for n, kind in enumerate((TransitionKind.OPENED, TransitionKind.CLOSED), 1):
                    made = transition(kind, n=n, channels=(one,), host_id=UUID(int=number))
                    records.append(lab.record("alerts", made))
            await lab.enter(*records)
            got: list[Received] = []

            def answer(request: Received) -> web.Response:
                got.append(request)
                return web.Response(status=200)

            receiver.answer = answer
            workers = [lab.worker(), lab.worker()]
            tasks = [asyncio.create_task(worker.run()) for worker in workers]
            for kill in range(_KILLS):
                await receiver.until(partial(seen_at_least, 20 + 60 * kill), seconds=60)
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(1)
                await asyncio.to_thread(server.start)
            await receiver.until(partial(seen_at_least, 2 * _ALERTS), seconds=120)
            for worker in workers:
                worker.stop()
            await asyncio.wait_for(asyncio.gather(*tasks), 60)
        bodies = [request.body for request in got]
        for number in range(_ALERTS):
            host = str(UUID(int=number)).encode()
            kinds = [b'"state":"closed"' in body for body in bodies if host in body]
            assert kinds == sorted(kinds), "a close never comes before its open"
        # A request whose answer could not be written down is repeated with the same id; no others are.
        assert len(got) - len(receiver.ids()) <= _KILLS * 20
