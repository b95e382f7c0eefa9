"""A batch takes what is there: each key once, one generation, no more than allowed, and waits for nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from vigilo.adapters.streams.batch import Batch, Batches


def event(key: str | None, *, partition: int = 0, generation: int = 1) -> Any:
    return SimpleNamespace(
        message=SimpleNamespace(key=key and key.encode(), partition=partition, generation_id=generation)
    )


class Stream:
    """Hands over one event per turn of the loop, as Faust does; `left` is what it has fetched."""

    def __init__(self, *events: Any, fails: bool = False) -> None:
        self.left = deque(events)
        self.more_to_come = asyncio.Event()
        self._fails = fails

    async def events(self) -> AsyncIterator[Any]:
        while self.left:
            for _ in range(6):
                await asyncio.sleep(0)
            yield self.left.popleft()
            if self._fails:
                raise RuntimeError("the stream broke")
            if not self.left:
                await self.more_to_come.wait()

    def batches(self, limit: int = 200) -> Batches:
        return Batches(self.events(), limit=limit, more=lambda: bool(self.left))


async def taken(batches: Batches) -> list[Any]:
    return await asyncio.wait_for(batches.next(), timeout=5)


def test_a_key_comes_once_and_two_partitions_have_two_keys() -> None:
    batch = Batch(200)
    assert [batch.add(event(key)) for key in ("a", "b", "a")] == [True, True, False]
    assert batch.add(event("a", partition=1))
    assert [batch.add(event(None)), batch.add(event(None))] == [True, False]


def test_an_event_of_another_generation_closes_the_batch() -> None:
    batch = Batch(200)
    assert batch.add(event("a"))
    assert not batch.add(event("b", generation=2))


def test_a_full_batch_takes_no_more() -> None:
    batch = Batch(2)
    assert [batch.add(event(key)) for key in "abc"] == [True, True, False]
    assert batch.full


async def test_what_is_fetched_comes_together_in_order_and_nobody_waits_for_more() -> None:
    events = [event(f"{number}") for number in range(30)]
    stream = Stream(*events)
    batches = stream.batches()
    assert await taken(batches) == events
    late = event("late")
    stream.left.append(late)
    stream.more_to_come.set()
    assert await taken(batches) == [late]
    batches.close()


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1, 1, 1]), (2, [2, 1, 2]), (200, [3, 2])])
async def test_the_event_that_does_not_fit_begins_the_next_batch(limit: int, sizes: list[int]) -> None:
    events = [event(key) for key in ("a", "b", "c", "c", "a")]
    stream = Stream(*events)
    stream.more_to_come.set()
    batches = stream.batches(limit)
    found = [await taken(batches) for _ in sizes]
    assert [len(batch) for batch in found] == sizes
    assert [one for batch in found for one in batch] == events
    assert await taken(batches) == []


async def test_the_error_that_ends_the_stream_comes_behind_its_last_event() -> None:
    batches = Stream(event("a"), fails=True).batches()
    assert len(await taken(batches)) == 1
    with pytest.raises(RuntimeError, match="the stream broke"):
        await taken(batches)


async def test_a_queue_whose_records_are_dropped_does_not_hold_up_a_batch() -> None:
    stream = Stream(event("a"))
    batches = Batches(stream.events(), limit=200, more=lambda: True)
    assert len(await taken(batches)) == 1
    batches.close()
