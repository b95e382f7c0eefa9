"""Small compacted topics that every worker reads whole: rules, snoozes, workspace settings.

Read by a consumer without group in the service's own event loop, so a decision sees one state of them, and no
partition assignment decides who knows what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.topics import until
from vigilo.events.envelope import Record

# What a reader tells after each batch of changes: the keys that changed.
OnChange = Callable[[frozenset[str]], None]

_POLL_MS = 1_000


class BroadcastReader:
    """The latest record per key of one topic (logical name).

    `records` is complete before the service's first decision. `on_change` is called in the event loop after every
    batch that arrives later.
    """

    def __init__(self, topic: str, *, on_change: OnChange | None = None) -> None:
        self.topic = topic
        self.on_change = on_change
        self._latest: dict[str, Record] = {}
        self._next: dict[int, int] = {}
        # As `_next`, but of what `on_change` has been told.
        self._told: dict[int, int] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._prefix = ""
        self._partitions: list[TopicPartition] = []
        self._caught_up = False

    @property
    def records(self) -> Mapping[str, Record]:
        """The latest record per key, tombstones removed. A view: copy what must not change."""
        return MappingProxyType(self._latest)

    @property
    def version(self) -> int:
        """How far the topic is read: the next offset of its one partition (of several, their sum)."""
        return sum(self._next.values())

    @property
    def caught_up(self) -> bool:
        """True once everything that was there at the start is read."""
        return self._caught_up

    @property
    def lag(self) -> int:
        """Records not yet read."""
        if self._consumer is None:
            return 0
        ends = {one.partition: self._consumer.highwater(one) for one in self._partitions}
        return sum(max(0, (end or 0) - self._next.get(number, 0)) for number, end in ends.items())

    async def start(self, settings: StreamSettings, *, partitions: int = 1) -> None:
        """Reads the topic from its start until the *position* has reached its end.

        The last offsets may be gone (compaction), so no record need ever show the end.
        """
        self._prefix = settings.physical("")
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            enable_auto_commit=False,
            request_timeout_ms=int(settings.request_timeout_s * 1000),
            **settings.aiokafka_security,
        )
        await self._consumer.start()
        name = settings.physical(self.topic)
        self._partitions = [TopicPartition(name, number) for number in range(partitions)]
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)
        ends = await self._consumer.end_offsets(self._partitions)
        while not await self._reached(ends):
            await self._read_batch(timeout_ms=200)
        self._told = dict(self._next)
        self._caught_up = True

    async def follow(self) -> None:
        """Reads on for ever. Its end, by whatever error, must end the process."""
        while True:
            changed = await self._read_batch(timeout_ms=_POLL_MS)
            if changed and self.on_change is not None:
                self.on_change(changed)
            self._told = dict(self._next)

    async def catch_up(self) -> None:
        """Waits until all that is written by now is read and told. Only while `follow` runs.

        For who takes over rows that another process has judged by what it had read: it must not know less.
        """
        assert self._consumer is not None
        ends = await self._consumer.end_offsets(self._partitions)
        await until(lambda: all(self._told.get(one.partition, 0) >= end for one, end in ends.items()))

    async def topics(self) -> frozenset[str]:
        """The logical names of all topics that exist now. Only once started."""
        assert self._consumer is not None
        names = await self._consumer.topics()
        return frozenset(name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))

    async def close(self) -> None:
        """Stops the consumer."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        assert self._consumer is not None
        for partition, end in ends.items():
            if await self._consumer.position(partition) < end:
                return False
        return True

    async def _read_batch(self, *, timeout_ms: int) -> frozenset[str]:
        assert self._consumer is not None
        batches = await self._consumer.getmany(*self._partitions, timeout_ms=timeout_ms)
        # No await between the records: a decision sees them and the version that belongs to them, or neither.
        changed = frozenset(self._take(message) for messages in batches.values() for message in messages)
        for partition in self._partitions:
            position = await self._consumer.position(partition)
            self._next[partition.partition] = max(position, self._next.get(partition.partition, 0))
        return changed

    def _take(self, message: ConsumedRecord) -> str:
        record = record_of(message, topic=self.topic)
        key = (record.key or b"").decode("utf-8", errors="replace")
        self._next[record.partition] = record.offset + 1
        if record.value is None:
            self._latest.pop(key, None)
        else:
            self._latest[key] = record
        return key


class ConsumedRecord(Protocol):
    """The fields of an aiokafka ConsumerRecord that we use; the library is untyped."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] | None


def record_of(message: ConsumedRecord, *, topic: str) -> Record:
    """Our record from an aiokafka ConsumerRecord."""
    return Record(
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=message.timestamp,
        key=message.key,
        value=message.value,
        headers=tuple((name, value or b"") for name, value in message.headers or ()),
    )
