"""A stage for the counting worker: its topics, its processes, and what an observer sees on Kafka."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its stubs forget one
from confluent_kafka.cimpl import NewTopic

from vigilo.events.partitioner import partition_for

PARTITIONS = 4
GUARD = "counting-counts-changelog"
NOTES = "counting-notes-changelog"
INPUTS = ("told", "told-also", "counting-wakeups")
PATIENCE_S = 60.0
# librdkafka's word for "the partitioner decides".
PARTITION_UA = -1


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as an observer saw it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def json(self) -> Any:
        """The value."""
        return json.loads(self.value or b"null")

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value.decode() for key, value in self.headers if key == name), None)


class Worker:
    """One process of the counting worker; its log and its status are files."""

    def __init__(self, stage: Stage, name: str, environment: Mapping[str, str]) -> None:
        self.log_path = stage.folder / f"{name}.log"
        self.status_path = stage.folder / f"{name}.json"
        self.status_path.unlink(missing_ok=True)
        script = Path(__file__).with_name("worker.py")
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script), stage.bootstrap, stage.prefix, str(self.status_path)],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    def status(self) -> dict[str, Any]:
        """The last status written; empty before the first."""
        try:
            status: dict[str, Any] = json.loads(self.status_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return status

    def log(self) -> str:
        """Everything logged so far."""
        return self.log_path.read_text(encoding="utf-8")

    def until_ready(self, *, partitions: Iterable[int] | None = None) -> None:
        """Waits until the worker says it is ready (with exactly these partitions, if given)."""
        wanted = None if partitions is None else sorted(partitions)

        def ready() -> bool:
            assert self.process.poll() is None, f"the worker ended: {self.log()[-3000:]}"
            status = self.status()
            return bool(status.get("ready")) and (wanted is None or sorted(status["recovered"]) == wanted)

        wait_until(ready, f"worker not ready: {self.status().get('not_ready')}")

    def exit_code(self) -> int:
        """Waits for the end of the process."""
        return self.process.wait(timeout=PATIENCE_S)

    def signal(self, number: int) -> None:
        """Sends a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        self.signal(signal.SIGTERM)
        return self.exit_code()

    def kill(self) -> None:
        """SIGKILL; nothing if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)


class Stage:
    """Topics under a prefix of their own, workers on them, and an observer."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.prefix = f"stage-{uuid4().hex[:10]}-"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 2})
        self.workers: list[Worker] = []
        self.topics: set[str] = set()

    # -- topics ----------------------------------------------------------------------------------------------------

    def create_topics(self, *, leave_out: Iterable[str] = ()) -> None:
        """Creates what the counting worker needs."""
        for topic in (*INPUTS, "counted", "dead-letters"):
            self._create(topic, "delete", leave_out)
        for topic in (GUARD, NOTES):
            self._create(topic, "compact", leave_out)

    def _create(self, topic: str, policy: str, leave_out: Iterable[str]) -> None:
        if topic not in leave_out:
            self.create_topic(topic, policy=policy)

    def create_topic(self, topic: str, *, policy: str = "delete", partitions: int = PARTITIONS) -> None:
        """Creates one topic and waits until it can be used."""
        new = NewTopic(
            self.prefix + topic,
            partitions,
            1,
            config={"message.timestamp.type": "LogAppendTime", "cleanup.policy": policy},
        )
        for future in self.admin.create_topics([new]).values():
            future.result(timeout=20)
        self.topics.add(topic)
        wait_until(lambda: self._led(topic, partitions), f"{topic} has no leaders")

    def _led(self, topic: str, partitions: int) -> bool:
        found = self.admin.list_topics(timeout=10).topics.get(self.prefix + topic)
        return found is not None and sum(p.leader >= 0 for p in found.partitions.values()) == partitions

    def delete_topics(self, topics: Iterable[str] | None = None) -> None:
        """Deletes topics, all by default."""
        names = [self.prefix + topic for topic in (self.topics if topics is None else topics)]
        for future in self.admin.delete_topics(names).values() if names else ():
            future.result(timeout=20)
        self.topics -= set(self.topics if topics is None else topics)

    def ends(self, topic: str) -> dict[int, int]:
        """The next offset of each partition."""
        partitions = self.admin.list_topics(timeout=10).topics[self.prefix + topic].partitions
        asked = {TopicPartition(self.prefix + topic, number): OffsetSpec.latest() for number in partitions}  # type: ignore[no-untyped-call]
        return {tp.partition: future.result().offset for tp, future in self.admin.list_offsets(asked).items()}

    def trim(self, topic: str, starts: Mapping[int, int]) -> None:
        """Deletes the records before these offsets, as retention does."""
        asked = [TopicPartition(self.prefix + topic, number, offset) for number, offset in starts.items()]
        for future in self.admin.delete_records(asked).values():
            future.result()

    def committed(self, topic: str) -> dict[int, int]:
        """The group's committed offset of each partition that has one."""
        group = ConsumerGroupTopicPartitions(f"{self.prefix}counting")
        future = self.admin.list_consumer_group_offsets([group])[group.group_id]
        try:
            partitions = future.result().topic_partitions
        except KafkaException:
            # A new broker's first group: its coordinator is still loading.
            return {}
        return {tp.partition: tp.offset for tp in partitions if tp.topic == self.prefix + topic and tp.offset >= 0}

    def commit(self, topic: str, offsets: Mapping[int, int]) -> None:
        """Sets the offsets of the (empty) group."""
        partitions = [TopicPartition(self.prefix + topic, number, offset) for number, offset in offsets.items()]
        group = ConsumerGroupTopicPartitions(f"{self.prefix}counting", partitions)
        wait_until(lambda: self._alter(group), "the group is not empty")

    def _alter(self, group: ConsumerGroupTopicPartitions) -> bool:
        result = self.admin.alter_consumer_group_offsets([group])[group.group_id].result()
        return all(tp.error is None for tp in result.topic_partitions)

    # -- records ---------------------------------------------------------------------------------------------------

    def tell(self, key: str, *, topic: str = "told", **told: Any) -> None:
        """Tells a key something."""
        self.write(topic, key.encode(), json.dumps(told).encode())

    def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
    ) -> None:
        """Writes one record; call `flush` afterwards."""
        chosen = PARTITION_UA if partition is None else partition
        self.producer.produce(self.prefix + topic, key=key, value=value, headers=list(headers), partition=chosen)
        self.producer.poll(0)

    def flush(self) -> None:
        """Waits until all is written."""
        assert self.producer.flush(20) == 0

    def read(self, topic: str) -> list[Seen]:
        """Everything in a topic, by partition and offset."""
        ends = {number: end for number, end in self.ends(topic).items() if end > 0}
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "observer",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        consumer.assign([TopicPartition(self.prefix + topic, number, 0) for number in ends])
        seen: list[Seen] = []
        finished: set[int] = set()
        deadline = time.monotonic() + PATIENCE_S
        while finished != set(ends):
            assert time.monotonic() < deadline, f"cannot read {topic}"
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error() is not None:
                finished.add(message.partition() or 0)
                continue
            seen.append(_seen(message))
        consumer.close()
        return sorted(seen, key=lambda one: (one.partition, one.offset))

    def of_key(self, topic: str, key: str) -> list[Seen]:
        """The records of one key."""
        return [one for one in self.read(topic) if one.key == key.encode()]

    def latest_rows(self, topic: str = GUARD) -> dict[bytes, Seen]:
        """The last record per key, tombstones left out."""
        latest = {one.key or b"": one for one in self.read(topic)}
        return {key: one for key, one in latest.items() if one.value is not None}

    # -- processes -------------------------------------------------------------------------------------------------

    def start(self, **environment: str) -> Worker:
        """Starts a worker."""
        worker = Worker(self, f"worker{len(self.workers)}", environment)
        self.workers.append(worker)
        return worker

    def until_done(self) -> None:
        """Waits until everything in the inputs is processed and committed."""
        wait_until(self._all_committed, "not everything is committed")

    def _all_committed(self) -> bool:
        for worker in self.workers:
            assert worker.process.poll() in {None, 0, -signal.SIGKILL}, f"a worker ended: {worker.log()[-3000:]}"
        return all(
            self.committed(topic).get(number, 0) == end for topic in INPUTS for number, end in self.ends(topic).items()
        )

    def close(self) -> None:
        """Ends all workers and deletes all topics."""
        for worker in self.workers:
            worker.kill()
        self.delete_topics()


def _seen(message: Any) -> Seen:
    headers = tuple(message.headers() or ())
    return Seen(message.partition(), message.offset(), message.key(), message.value(), headers)


def wait_until(condition: Callable[[], bool], complaint: str, *, patience_s: float = PATIENCE_S) -> None:
    """Waits for a condition. Raises AssertionError with the complaint after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.1)


def key_in(partition: int) -> str:
    """A fresh key that belongs to this partition."""
    while True:
        key = str(uuid4())
        if partition_for(key.encode(), PARTITIONS) == partition:
            return key
