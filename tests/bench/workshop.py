"""Topics filled in advance, and the processes that work them off."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench.bare_agent import BareConfig
from tests.bench.processes import Bare, Service
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent

PARTITIONS = 12


class Workshop:
    """All topics under a prefix of their own, twelve partitions each where keyed by host."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.kafka = KafkaSettings(
            bootstrap=bootstrap, topic_prefix=f"bench-{uuid4().hex[:8]}-", host_partitions=PARTITIONS
        )
        self.folder = folder
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 20,
                "compression.type": "zstd",
            }
        )
        apply(
            self.kafka,
            wanted_topics(load_rows().values(), host_partitions=PARTITIONS, history=timedelta(days=400)),
        )

    def fill(self, events: Iterable[EncodedEvent]) -> int:
        """Writes events and waits for all acknowledgements; returns how many."""
        count = 0
        for event in events:
            self.write(self.kafka.physical(event.topic), event.key, event.value, event.headers)
            count += 1
        assert self._producer.flush(60) == 0
        return count

    def pour(self, events: Iterable[EncodedEvent], per_second: float, stopping: threading.Event | None = None) -> None:
        """Writes events at an even pace, as many as there are until `stopping`."""
        began = time.monotonic()
        for number, event in enumerate(events):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            if stopping is not None and stopping.is_set():
                break
            self.write(self.kafka.physical(event.topic), event.key, event.value, event.headers)
        self.flush()

    @contextmanager
    def pouring(self, events: Iterable[EncodedEvent], per_second: float) -> Iterator[None]:
        """Pours beside what the block does; no events, nothing."""
        stopping = threading.Event()
        thread = threading.Thread(target=self.pour, args=(events, per_second, stopping), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(60)

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        *,
        partition: int = -1,
    ) -> None:
        """Hands over one record, to that partition or else that of its key. `topic` as in Kafka."""
        given: list[tuple[str, str | bytes | None]] = list(headers)
        while True:
            try:
                self._producer.produce(topic, value, key, partition=partition, headers=given)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self) -> None:
        """Waits for all acknowledgements."""
        assert self._producer.flush(60) == 0

    @contextmanager
    def service(self, name: str, **environment: str) -> Iterator[Service]:
        """A running service."""
        service = Service(name, self.kafka, self.folder, **environment)
        try:
            yield service
        finally:
            service.stop()

    @contextmanager
    def bare(self, source: str, like: Workshop, *, row: str, output: str | None = None) -> Iterator[Bare]:
        """A bare agent over `source` that writes the rows and outputs that a service wrote in the workshop `like`."""
        group = f"{self.kafka.topic_prefix}bare"
        config = BareConfig(
            bootstrap=self.kafka.bootstrap,
            group=group,
            source=self.kafka.physical(source),
            changelog=self.kafka.physical(row),
            partitions=PARTITIONS,
            row=base64.b64encode(like.newest(row)).decode(),
            target=self.kafka.physical(output) if output else None,
            output=base64.b64encode(like.newest(output)).decode() if output else None,
        )
        agent = Bare(config, self.folder)
        try:
            yield agent
        finally:
            agent.stop()

    def count(self, topic: str) -> int:
        """Records in a topic."""
        consumer = self._reader()
        name = self.kafka.physical(topic)
        try:
            ends = (consumer.get_watermark_offsets(TopicPartition(name, n), timeout=10) for n in range(PARTITIONS))
            return sum(high - low for low, high in ends)
        finally:
            consumer.close()

    def _reader(self) -> Consumer:
        return Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "bench", "enable.auto.commit": False})

    def newest(self, topic: str) -> bytes:
        """The last value of one partition of a topic."""
        consumer, name = self._reader(), self.kafka.physical(topic)
        try:
            for number in range(PARTITIONS):
                low, high = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=10)
                if high > low:
                    consumer.assign([TopicPartition(name, number, high - 1)])
                    message = consumer.poll(10)
                    value = None if message is None or message.error() else message.value()
                    if value is not None:
                        return bytes(value)
            raise AssertionError(f"{name} is empty")
        finally:
            consumer.close()

    def close(self) -> None:
        """Deletes the topics."""
        admin = admin_client(self.kafka)
        ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(self.kafka.topic_prefix)]
        for future in (admin.delete_topics(ours) if ours else {}).values():
            future.result(timeout=30)
