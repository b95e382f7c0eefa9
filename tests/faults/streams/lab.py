"""The laboratory: topics of its own, work to do, workers to hurt.

Everything here is real: a Kafka broker on loopback, worker processes in sessions of their own, killed by their pid.
Every wait has an end.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as KafkaMessage

from tests.faults.streams import job
from tests.faults.streams.job import JobConfig
from tests.faults.streams.topics import Topics
from tests.faults.streams.workers import Position, Worker


@dataclass(frozen=True, slots=True)
class Sent:
    """One work item as acknowledged by the broker; `poison` = it is to have no effect but a dead letter."""

    key: str
    value: bytes
    poison: bool = False


@dataclass
class Lab:
    """One experiment: topics under a prefix of its own, a seeded generator, the workers it started.

    A key comes once in a batch of ours: with many keys batches become large.
    """

    bootstrap: str
    prefix: str
    folder: Path
    seed: int
    key_count: int = 400
    batch_size: int = 200
    workers: list[Worker] = field(default_factory=list)
    sent: dict[Position, Sent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.keys = [str(UUID(int=self.rng.getrandbits(128), version=4)) for _ in range(self.key_count)]
        self.topics = Topics(self.bootstrap, self.prefix)
        self._numbers = 0
        self._producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
            }
        )

    # Work

    def send(self, count: int, *, every: int = 0, extra: Mapping[str, object] | None = None, **marks: bool) -> None:
        """Produces that many work items over the keys and waits for all acks; each `every`-th one has `extra`."""
        for index in range(count):
            special = every > 0 and index % every == every - 1
            key = self.rng.choice(self.keys)
            self.send_one(key, extra if special else None, **(marks if special else {}))
        self.flush()

    def send_one(self, key: str, extra: Mapping[str, object] | None = None, *, poison: bool = False) -> None:
        """Produces one work item, without waiting."""
        self.send_raw(key, json.dumps({"n": self._numbers, **(extra or {})}).encode(), poison=poison)
        self._numbers += 1

    def send_raw(self, key: str, value: bytes, *, poison: bool = False) -> None:
        """Produces these bytes, without waiting."""

        def noted(error: KafkaError | None, message: KafkaMessage) -> None:
            assert error is None, error
            self.sent[(message.partition() or 0, message.offset() or 0)] = Sent(key, value, poison)

        while True:
            try:
                self._producer.produce(self.prefix + job.WORK, key=key.encode(), value=value, on_delivery=noted)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    @property
    def poison(self) -> dict[Position, Sent]:
        """What was sent to be refused."""
        return {position: item for position, item in self.sent.items() if item.poison}

    def flush(self) -> None:
        """Waits until everything produced is acknowledged."""
        assert self._producer.flush(60) == 0

    # Workers

    def start(self, kind: str, name: str, *, batch: int = 1, pause_ms: int = 0, die_at: str = "") -> Worker:
        """Starts a worker of that kind (`stock` or `base`)."""
        config = JobConfig(
            name=name,
            bootstrap=self.bootstrap,
            prefix=self.prefix,
            journal=str(self.folder / f"{name}.journal"),
            snapshot=str(self.folder / f"{name}.snapshot"),
            batch=batch,
            pause_ms=pause_ms,
            batch_size=self.batch_size,
            die_at=die_at,
        )
        worker = Worker(kind, config, self.folder)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """Kills what still runs."""
        for worker in self.workers:
            worker.signal(signal.SIGCONT)
            worker.kill()

    def journal(self) -> list[Position]:
        """Every processed position of every worker."""
        return [position for worker in self.workers for position in worker.journal()]


@contextmanager
def experiment(bootstrap: str, folder: Path) -> Iterator[Callable[..., Lab]]:
    """Gives a maker of labs (optionally on another broker); ends their workers and deletes their topics afterwards.

    Seeds are printed; VIGILO_FAULT_SEED repeats one.
    """
    labs: list[Lab] = []
    first_seed = int(os.environ.get("VIGILO_FAULT_SEED", time.time_ns() % 100_000))

    def make(address: str = bootstrap, *, key_count: int = 400, batch_size: int = 200) -> Lab:
        files = folder / f"lab{len(labs)}"
        files.mkdir()
        seed = first_seed + len(labs)
        lab = Lab(address, f"lab-{uuid4().hex[:10]}-", files, seed, key_count, batch_size)
        print(f"seed {lab.seed}, files in {files}")
        lab.topics.create()
        labs.append(lab)
        return lab

    try:
        yield make
    finally:
        for lab in labs:
            lab.end()
            lab.topics.delete()
