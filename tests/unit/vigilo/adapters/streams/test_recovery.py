"""When recovery may stop waiting for changelog records: only when nobody holds them any more."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from vigilo.adapters.streams.recovery import SeekFirstRecovery

CHANGELOG = TP("changelog", 3)
END = 6_788


class Consumer:
    """Positions and fetches as a test sets them."""

    def __init__(self) -> None:
        self.at: int | None = END + 1
        self.fetches = 10
        self.assigned = True

    async def position(self, tp: TP) -> int | None:
        """Where the next fetch begins."""
        if not self.assigned:
            raise IllegalStateError(f"{tp} is not assigned")
        return self.at


class Queue(deque[Any]):
    """Records put but not yet read."""

    def empty(self) -> bool:
        """True if there are none."""
        return not self


@pytest.fixture
def consumer() -> Consumer:
    """The position is past the end."""
    return Consumer()


@pytest.fixture
def queue() -> Queue:
    """Nothing waits."""
    return Queue()


@pytest.fixture
async def recovery(consumer: Consumer, queue: Queue) -> SeekFirstRecovery:
    """A recovery that has read up to 5,805."""
    app: Any = SimpleNamespace(consumer=consumer, conf=SimpleNamespace(stream_recovery_delay=0.0))
    tables: Any = SimpleNamespace(changelog_queue=queue)
    made = SeekFirstRecovery(app, tables)
    made.in_recovery = True
    made.active_offsets[CHANGELOG] = 5_805
    made.active_highwaters[CHANGELOG] = END
    return made


async def test_records_in_the_fetchers_hand_are_waited_for(recovery: SeekFirstRecovery, consumer: Consumer) -> None:
    for _ in range(5):
        await recovery._look_for_absent_ends()
    consumer.fetches += 1
    await recovery._look_for_absent_ends()
    assert recovery.active_offsets[CHANGELOG] == 5_805


async def test_two_fetches_later_they_are_known_to_be_absent(recovery: SeekFirstRecovery, consumer: Consumer) -> None:
    await recovery._look_for_absent_ends()
    consumer.fetches += 2
    await recovery._look_for_absent_ends()
    assert recovery.active_offsets[CHANGELOG] == END


async def test_records_in_the_queue_are_waited_for(
    recovery: SeekFirstRecovery, consumer: Consumer, queue: Queue
) -> None:
    await recovery._look_for_absent_ends()
    consumer.fetches += 2
    queue.append("a record")
    await recovery._look_for_absent_ends()
    assert recovery.active_offsets[CHANGELOG] == 5_805


async def test_a_position_before_the_end_begins_the_wait_anew(recovery: SeekFirstRecovery, consumer: Consumer) -> None:
    await recovery._look_for_absent_ends()
    consumer.at = 6_000
    await recovery._look_for_absent_ends()
    consumer.at, consumer.fetches = END + 1, consumer.fetches + 2
    await recovery._look_for_absent_ends()
    assert recovery.active_offsets[CHANGELOG] == 5_805


async def test_a_partition_taken_during_the_look_is_left_alone(recovery: SeekFirstRecovery, consumer: Consumer) -> None:
    consumer.assigned = False
    await recovery._look_for_absent_ends()
    assert recovery.active_offsets[CHANGELOG] == 5_805
