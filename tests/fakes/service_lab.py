"""One stream service as a real process on a real broker: its topics, what is written to it, what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, topics_of, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.codec import decode_value, encode
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo_cli.launcher.ports import any_free

PATIENCE_S = 40.0

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Said(Generic[E]):
    """One event as an observer read it; `appended_at` by the broker's clock."""

    topic: str
    key: str
    ce_id: str
    event: E
    appended_at: datetime


class ServiceLab:
    """Topics under a prefix of their own, two partitions each; processes whose logs are files in `folder`."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, *services: str) -> None:
        self.kafka = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix, host_partitions=2)
        self.folder = folder
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": 1, "acks": "all"}
        )
        self._processes: list[ServiceProcess] = []
        rows = load_rows().values()
        names = {"dead-letters", *(topic for service in services for topic in topics_of(rows, service))}
        wanted = wanted_topics(rows, host_partitions=2, history=timedelta(days=400))
        apply(self.kafka, [one for one in wanted if one.name in names])

    def start(self, service: str, *, program: Sequence[str] = (), **environment: str) -> ServiceProcess:
        """Starts a service and waits until it is ready. `program`: module and arguments to run in its place."""
        process = ServiceProcess(self, service, environment, program or (f"services.{service}.app",))
        self._processes.append(process)
        process.until_ready()
        return process

    def write(self, topic: str, key: UUID, event: Event | None, event_id: UUID) -> None:
        """Writes one event and waits for its acknowledgement."""
        encoded = encode(OutgoingEvent(topic, str(key), event_id, event, datetime.now(UTC)), source="lab")
        headers: list[tuple[str, str | bytes | None]] = list(encoded.headers)
        self._producer.produce(self.kafka.physical(topic), encoded.value, encoded.key, headers=headers)
        assert self._producer.flush(20) == 0

    def read(self, topic: str, model: type[E]) -> list[Said[E]]:
        """Everything in a topic now, in the order of the broker's clock."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.kafka.bootstrap,
                "group.id": "observer",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        try:
            return self._read(consumer, self.kafka.physical(topic), model)
        finally:
            consumer.close()

    def _read(self, consumer: Consumer, name: str, model: type[E]) -> list[Said[E]]:
        unread = set(consumer.list_topics(name, timeout=10).topics[name].partitions)
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in unread])
        said: list[Said[E]] = []
        deadline = time.monotonic() + PATIENCE_S
        while unread:
            assert time.monotonic() < deadline, f"cannot read {name}"
            for message in consumer.consume(500, timeout=0.05):
                error = message.error()
                if error is None:
                    said.append(self._said(message, model))
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)
        return sorted(said, key=lambda one: one.appended_at)

    def _said(self, message: Any, model: type[E]) -> Said[E]:
        headers = {name: value.decode() for name, value in message.headers() or ()}
        return Said(
            topic=self.kafka.logical(message.topic()),
            key=message.key().decode(),
            ce_id=headers["ce_id"],
            event=decode_value(message.value(), model),
            appended_at=datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
        )

    def await_said(
        self, topic: str, model: type[E], count: int = 1, *, where: Callable[[E], bool] = lambda _: True
    ) -> list[Said[E]]:
        """Waits until at least so many different events (by `ce_id`) of a topic fit; returns them with any repeats."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [one for one in self.read(topic, model) if where(one.event)]
            different = len({one.ce_id for one in found})
            if different >= count:
                return found
            assert time.monotonic() < deadline, f"{different} of {count} in {topic}; {self._logs()}"
            time.sleep(0.1)

    def _logs(self) -> str:
        return "\n".join(process.log()[-2000:] for process in self._processes)

    def close(self) -> None:
        """Ends all processes and deletes the topics."""
        for process in self._processes:
            process.kill()
        admin = admin_client(self.kafka)
        ours = [name for name in admin.list_topics(timeout=10).topics if name.startswith(self.kafka.topic_prefix)]
        for future in (admin.delete_topics(ours) if ours else {}).values():
            future.result(timeout=20)


class ServiceProcess:
    """`python -m services.<name>.app`."""

    def __init__(self, lab: ServiceLab, service: str, environment: dict[str, str], program: Sequence[str]) -> None:
        self._log = lab.folder / f"{service}.log"
        self._port = any_free()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *program],
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "VIGILO_KAFKA_BOOTSTRAP": lab.kafka.bootstrap,
                    "VIGILO_KAFKA_TOPIC_PREFIX": lab.kafka.topic_prefix,
                    "VIGILO_KAFKA_HOST_PARTITIONS": str(lab.kafka.host_partitions),
                    "VIGILO_HEALTH_PORT": str(self._port),
                    **environment,
                },
            )

    def log(self) -> str:
        """Everything logged so far."""
        return self._log.read_text(encoding="utf-8")

    def until_ready(self) -> None:
        """Waits until /readyz says 200."""
        deadline = time.monotonic() + PATIENCE_S
        while not self._ready():
            assert self.process.poll() is None, f"the service ended: {self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"the service is not ready: {self.log()[-3000:]}"
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=3) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def died(self, *, seconds: float) -> bool:
        """True if it ends within that time."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL; nothing if it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=10)

    def stop(self) -> int:
        """SIGTERM, then the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_S)
