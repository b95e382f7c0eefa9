"""Topics filled in advance and one process that works them off, measured from outside: events, wall time, CPU time."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from tests.bench.bare_agent import BareConfig
from vigilo.adapters.kafka.admin import admin_client
from vigilo.adapters.kafka.topic_rows import load_rows
from vigilo.adapters.kafka.topics import apply, wanted_topics
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent
from vigilo_cli.launcher.ports import any_free

PARTITIONS = 12
PATIENCE_S = 180.0
LOOK_EVERY_S = 0.25
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one instant: events done since it started, CPU seconds used, time.monotonic()."""

    events: int
    cpu: float
    at: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per second of wall time and per second of CPU time (all threads of the process)."""

    events: int
    wall: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Events per second as they passed."""
        return self.events / self.wall

    @property
    def per_core(self) -> float:
        """Events per second and core."""
        return self.events / self.cpu

    def __str__(self) -> str:
        return f"{self.per_core:,.0f}/s and core, {self.per_second:,.0f}/s"


def best(rates: Iterable[Rate]) -> Rate:
    """The rate least disturbed by what else the machine did."""
    return max(rates, key=lambda rate: rate.per_core)


class Measured(Protocol):
    """Something that works off a topic."""

    def sample(self) -> Sample | None:
        """Where it is now; None if it does not answer yet."""
        ...

    def check(self) -> None:
        """Fails, with its log, if it has ended."""
        ...


def rate_of(worker: Measured, *, total: int, skip: int = 0) -> Rate:
    """Watches until `total` events are done, from the moment more than `skip` are."""
    deadline = time.monotonic() + PATIENCE_S
    first: Sample | None = None
    while True:
        worker.check()
        now = worker.sample()
        if now is not None and first is None and now.events > skip:
            first = now
        if now is not None and first is not None and now.events >= total and now.events > first.events:
            return Rate(now.events - first.events, now.at - first.at, now.cpu - first.cpu)
        assert time.monotonic() < deadline, f"{now} of {total} events"
        time.sleep(LOOK_EVERY_S / 5 if first is None else LOOK_EVERY_S)


def done(worker: Measured, total: int) -> None:
    """Returns once that many events are done."""
    deadline = time.monotonic() + PATIENCE_S
    while (now := worker.sample()) is None or now.events < total:
        worker.check()
        assert time.monotonic() < deadline, f"{now} of {total} events"
        time.sleep(LOOK_EVERY_S)


class _Process:
    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=REPOSITORY,
                stdout=file,
                stderr=file,
                env={**os.environ, **environment},
            )

    def check(self) -> None:
        """Fails, with its log, if it has ended."""
        assert self.process.poll() is None, self.log.read_text()[-3000:]

    def stop(self) -> None:
        """SIGTERM, SIGKILL if that takes too long."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


class Service(_Process):
    """`python -m services.<name>.app`, watched by its own metrics."""

    def __init__(self, name: str, kafka: KafkaSettings, folder: Path, **environment: str) -> None:
        self._port = any_free()
        self.started_at = time.monotonic()
        super().__init__(
            [f"services.{name}.app"],
            folder / f"{name}.log",
            {
                "VIGILO_KAFKA_BOOTSTRAP": kafka.bootstrap,
                "VIGILO_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
                "VIGILO_KAFKA_HOST_PARTITIONS": str(kafka.host_partitions),
                "VIGILO_HEALTH_PORT": str(self._port),
                **environment,
            },
        )

    def _get(self, path: str) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, OSError):
            return None

    @property
    def ready(self) -> bool:
        """/readyz says so."""
        return self._get("readyz") is not None

    def sample(self) -> Sample | None:
        """Events and CPU seconds out of one scrape."""
        text = self._get("metrics")
        if text is None:
            return None
        return Sample(
            int(_metric(text, "vigilo_stream_events_total")),
            _metric(text, "process_cpu_seconds_total"),
            time.monotonic(),
        )

    def rows(self) -> dict[str, int]:
        """Rows held, by table."""
        found = re.findall(r'^vigilo_stream_rows\{table="(\w+)"\} (\S+)$', self._get("metrics") or "", re.MULTILINE)
        return {table: int(float(count)) for table, count in found}


def _metric(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


class Bare(_Process):
    """A bare agent, watched by what it prints."""

    def __init__(self, config: BareConfig, folder: Path) -> None:
        path = folder / f"{config.group}.json"
        config.dump(path)
        super().__init__(["tests.bench.bare_agent", str(path)], folder / f"{config.group}.log", {})

    def sample(self) -> Sample | None:
        """The last line it has printed."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return Sample(**json.loads(lines[-1])) if lines else None


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
