"""A broker and a worker's lives in memory: the loop is the real one, its records become durable one by one, or never.

A crash may come after any record has become durable. Records of one partition become durable in the order they were
sent, those of different partitions in any order, as from one idempotent producer.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NoReturn

from tests.integration.vigilo.adapters.streams.counting import Count, CountingProcessor
from vigilo.adapters.streams.batch import Batch
from vigilo.adapters.streams.deciding import Decider
from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.inputs import InputReader
from vigilo.adapters.streams.loop import Loop
from vigilo.adapters.streams.outlet import Outlet
from vigilo.adapters.streams.ownership import Ownership
from vigilo.adapters.streams.positions import Positions
from vigilo.adapters.streams.resume import Ends, survey_all
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.timers import Timers
from vigilo.adapters.streams.wiring import planner_of
from vigilo.adapters.streams.writing import Writing
from vigilo.events.partitioner import partition_for
from vigilo.ports.deadletters import StopLimit

PARTITIONS = 2
GUARD, NOTES = "counting-counts-changelog", "counting-notes-changelog"
SETTINGS = StreamSettings(bootstrap="nowhere:1", topic_prefix="")
Place = tuple[str, int]


class Crash(Exception):
    """The worker is dead."""


@dataclass(frozen=True, slots=True)
class Durable:
    """One record that the broker has."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> Place:
        """Its partition."""
        return self.topic, self.partition


@dataclass
class Broker:
    """What is durable, in the order it became so; inputs by partition; committed offsets. Outlives every worker."""

    inputs: dict[Place, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    log: list[Durable] = field(default_factory=list)
    committed: dict[Place, int] = field(default_factory=dict)

    def of(self, topic: str) -> list[Durable]:
        """The records of one topic."""
        return [one for one in self.log if one.topic == topic]

    @property
    def done(self) -> bool:
        """True if every input is committed."""
        return all(self.committed.get(place, 0) == len(records) for place, records in self.inputs.items())


class Producer:
    """Stands where aiokafka's producer does. `left` records become durable before the crash; None = no crash."""

    def __init__(self, broker: Broker, chance: random.Random, left: int | None) -> None:
        self._broker, self._chance, self._left = broker, chance, left
        self._under_way: dict[Place, list[tuple[Durable, asyncio.Future[Any]]]] = defaultdict(list)
        known = SimpleNamespace(partitions_for_topic=lambda _: {0})
        self.client = SimpleNamespace(cluster=known, send=None)

    async def send(
        self, topic: str, value: bytes | None, *, key: bytes, partition: int | None, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        """Takes a record."""
        to = partition_for(key, PARTITIONS) if partition is None else partition
        acknowledgement: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        record = Durable(topic, to, key, value, tuple(headers))
        self._under_way[record.place].append((record, acknowledgement))
        return acknowledgement

    def deliver(self) -> None:
        """Makes some of what is under way durable. Raises Crash."""
        for _ in range(self._chance.randint(1, 6)):
            if self._left == 0:
                raise Crash
            waiting = [queue for queue in self._under_way.values() if queue]
            if not waiting:
                return
            record, acknowledgement = self._chance.choice(waiting).pop(0)
            self._broker.log.append(record)
            acknowledgement.set_result(SimpleNamespace(timestamp_type=0, offset=len(self._broker.log)))
            if self._left is not None:
                self._left -= 1


class Table:
    """A table as ChangelogTable is one: rows in memory, recovered from the log; `rows` is its store."""

    def __init__(self, topic: str, broker: Broker, outlet: Outlet) -> None:
        self._topic, self._outlet = topic, outlet
        self._rows: dict[int, dict[bytes, bytes]] = {number: {} for number in range(PARTITIONS)}
        for record in broker.of(topic):
            self.set_row(record.partition, record.key, record.value)
        self.rows = self

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key."""
        return self._rows[partition].get(key)

    def set_row(self, partition: int, key: bytes, value: bytes | None) -> None:
        """In memory only."""
        if value is None:
            self._rows[partition].pop(key, None)
        else:
            self._rows[partition][key] = value

    def rows_of(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """A copy of one partition."""
        return iter(tuple(self._rows[partition].items()))

    async def put(self, partition: int, key: bytes, value: bytes | None) -> asyncio.Future[Any]:
        """In memory and to the log."""
        acknowledgement = await self._outlet.write(self._topic, key, value, partition=partition)
        self.set_row(partition, key, value)
        return acknowledgement


class Clock:
    """No two looks at it are the same: what is decided twice has two contents."""

    def __init__(self) -> None:
        self._looks = 0

    def __call__(self) -> datetime:
        self._looks += 1
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self._looks)


class Life:
    """One worker from its recovery to its end, by crash or because everything is committed.

    `commits` is how probable a commit is after each batch.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Callable[[], datetime],
        *,
        seed: int,
        limit: int,
        dies_after: int | None,
        commits: float = 0.4,
        stop_after: int = 10_000,
    ) -> None:
        self._broker, self._limit, self._commits = broker, limit, commits
        self._chance = random.Random(seed)
        self._producer = Producer(broker, self._chance, dies_after)
        ownership = Ownership(8.0, now=lambda: 0.0)
        ownership.heard(0.0)
        self._outlet = Outlet(SETTINGS, ownership, _end)
        self._outlet.attach(self._producer)
        self._positions = Positions()
        self._loop = self._build(ownership, clock, StopLimit(consecutive=stop_after, ratio=1.0))

    def _build(self, ownership: Ownership, clock: Callable[[], datetime], stop: StopLimit) -> Loop[Count]:
        broker, outlet = self._broker, self._outlet
        guard: Any = Table(GUARD, broker, outlet)
        sides: Any = {"notes": Table(NOTES, broker, outlet)}
        processor = CountingProcessor()
        nothing: Any = None
        return Loop(
            app=SimpleNamespace(consumer_generation_id=1),
            settings=SETTINGS,
            hooks=Hooks(
                ownership=ownership,
                positions=self._positions,
                outlet=outlet,
                inputs=frozenset(processor.inputs),
                end=_end,
                recovered=nothing,
                resumed=nothing,
                revoked=nothing,
                committed=nothing,
            ),
            guard=guard,
            sides=sides,
            decider=Decider(
                processor=processor,
                reader=InputReader(processor.inputs, partitions=PARTITIONS, compacted=frozenset()),
                planner=planner_of(SETTINGS, processor.service, processor.state_model),
                guard=guard,
                sides=sides,
                clock=clock,
            ),
            writing=Writing(outlet=outlet, guard=guard, sides=sides, timers=Timers()),
            limit=stop,
        )

    async def live(self) -> None:
        """Raises Crash."""
        ends = Ends({place: len(records) for place, records in self._broker.inputs.items()}, self._broker.committed)
        for place in self._broker.inputs:
            committed = self._broker.committed.get(place)
            self._positions.start(place, committed or 0, committed=committed, now=0.0)
        self._loop.writing.memory = await survey_all(self._loop, range(PARTITIONS), ends, Timers())
        for batch in self._batches():
            await self._with_the_broker(self._loop.handle(batch))
            if self._chance.random() < self._commits:
                await self._with_the_broker(self._commit())
        await self._with_the_broker(self._commit())

    async def _commit(self) -> None:
        """As PositionConsumer does."""
        offsets = self._positions.committable()
        await self._outlet.settled()
        self._broker.committed.update(offsets)
        self._positions.committed(offsets)
        await self._loop.remove_committed()
        await self._outlet.settled()

    def _batches(self) -> Iterator[list[Any]]:
        batch = Batch(self._limit)
        for event in self._deliveries():
            if not batch.add(event):
                yield batch.events
                batch = Batch(self._limit)
                assert batch.add(event)
            elif self._chance.random() < 0.1:  # nothing more was there
                yield batch.events
                batch = Batch(self._limit)
        if batch.events:
            yield batch.events

    def _deliveries(self) -> Iterator[Any]:
        """Everything that is not committed, in order by partition, partitions in any order."""
        following = {place: self._broker.committed.get(place, 0) for place in self._broker.inputs}
        while left := [place for place, at in following.items() if at < len(self._broker.inputs[place])]:
            place = self._chance.choice(left)
            yield _event(place, following[place], *self._broker.inputs[place][following[place]])
            following[place] += 1

    async def _with_the_broker(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.sleep(0)
                self._producer.deliver()
            task.result()
        finally:
            task.cancel()


def _end(reason: str, error: BaseException | None) -> NoReturn:
    raise AssertionError(reason) from error


def _event(place: Place, offset: int, key: bytes, value: bytes) -> Any:
    topic, partition = place
    message = SimpleNamespace(
        topic=topic,
        partition=partition,
        tp=place,
        offset=offset,
        timestamp=0.0,
        key=key,
        value=value,
        headers=[],
        generation_id=1,
    )
    return SimpleNamespace(message=message, ack=lambda: None)
