"""Reading work from Kafka: records finish in any order, offsets are committed without a gap.

`WorkConsumer` is for services that keep no state between records (scanner). Services that keep their positions in
PostgreSQL use `vigilo.adapters.kafka.batches`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from vigilo.adapters.kafka.lane import Lane, Taken
from vigilo.adapters.kafka.records import ConsumerBroken, Partition, logger
from vigilo.adapters.kafka.slots import Slots
from vigilo.adapters.kafka.topics import wait_for_topics
from vigilo.adapters.settings import KafkaSettings

__all__ = ["ConsumerBroken", "Taken", "WorkConsumer"]


class WorkConsumer:
    """Yields records of several topics, the first topic first, never more than `max_in_flight` unfinished.

    The last `reserved` slots are only for the first topic. Use as a context manager in a running loop, iterate, call
    `done` on each. Each topic has a consumer group of its own, `<group>-<topic>`.
    """

    def __init__(
        self, settings: KafkaSettings, topics: Sequence[str], *, group: str, max_in_flight: int, reserved: int = 0
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._group = group
        self._slots = Slots(max_in_flight, reserved=reserved if len(self._topics) > 1 else 0)
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.PriorityQueue[tuple[int, int, Taken | Exception | None]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._lanes: list[Lane] = []
        self._stopping = False

    async def __aenter__(self) -> WorkConsumer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def in_flight(self) -> int:
        """How many records are taken and not done, those not yet yielded included."""
        return self._slots.taken

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions this process has now."""
        return frozenset(partition for lane in self._lanes for partition in lane.assigned)

    async def start(self) -> None:
        """Waits for the topics, saying which are missing, then begins to read. Raises MissingTopics."""
        await wait_for_topics(self._settings, self._topics)
        self._lanes = [
            Lane(self._settings, topic, group=self._group, rank=rank, slots=self._slots, offer=self._offer)
            for rank, topic in enumerate(self._topics)
        ]

    async def __aiter__(self) -> AsyncIterator[Taken]:
        """Records until `stop` or `close`. Raises ConsumerBroken."""
        while not self._stopping:
            _, _, taken = await self._ready.get()
            if isinstance(taken, Exception):
                raise taken
            if taken is None:
                return
            if taken.lane.holds(taken) and not self._stopping:
                yield taken
            else:  # its partition went to somebody else before anybody began
                taken.lane.drop(taken)

    def stop(self) -> None:
        """Ends the iteration; records already yielded can still be finished."""
        self._stopping = True
        for lane in self._lanes:
            lane.hold()
        self._ready.put_nowait((-1, next(self._order), None))

    async def close(self, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Stops, waits at most `timeout` for yielded records to be done, commits what is contiguous, leaves."""
        self.stop()
        deadline = self._loop.time() + timeout.total_seconds()
        self._drop_unyielded()
        # A pause, not a signal: slots are freed from tasks and threads alike.
        while self._lanes and self._slots.taken and self._loop.time() < deadline:
            await asyncio.sleep(0.02)
            self._drop_unyielded()
        lanes, self._lanes = self._lanes, []
        await asyncio.gather(*(asyncio.to_thread(lane.end) for lane in lanes))

    def _offer(self, rank: int, taken: Taken | Exception) -> None:
        # Called by the lanes' threads.
        try:
            self._loop.call_soon_threadsafe(self._ready.put_nowait, (rank, next(self._order), taken))
        except RuntimeError:
            logger.warning("the event loop ended while records were being read")

    def _drop_unyielded(self) -> None:
        while not self._ready.empty():
            _, _, taken = self._ready.get_nowait()
            if isinstance(taken, Taken):
                taken.lane.drop(taken)
        # Whoever still iterates must learn that this is the end.
        self._ready.put_nowait((-1, next(self._order), None))
