"""Work that goes on after trouble, and only after the trouble it was told of."""

from __future__ import annotations

import asyncio
import logging

import pytest

from vigilo.adapters.rounds import repeat

logger = logging.getLogger("test.rounds")


async def test_trouble_is_told_and_the_next_round_comes(caplog: pytest.LogCaptureFixture) -> None:
    rounds: list[int] = []

    async def work() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise OSError("away")
        if len(rounds) == 3:
            raise LookupError("a bug")

    with pytest.raises(LookupError):
        await repeat(work, pause_seconds=0, trouble=(OSError,), complaint="not now", logger=logger)
    assert rounds == [0, 1, 2]
    assert caplog.messages == ["not now: away"]


async def test_it_ends_when_it_is_cancelled() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()

    task = asyncio.create_task(repeat(work, pause_seconds=60, trouble=(), complaint="", logger=logger))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
