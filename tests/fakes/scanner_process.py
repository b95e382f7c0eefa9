"""A real scanner process for tests, and the Kafka side of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record


def free_port() -> int:
    """A TCP port of loopback that nobody used a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def https_like_port() -> int:
    """One that ends in 443, where HTTP over TLS is usual. Raises OSError when all are taken."""
    for port in range(10443, 60444, 1000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("every port that ends in 443 is taken")


@dataclass(slots=True)
class ScannerProcess:
    """`python -m services.scanner.app` with loopback allowed. Use as a context manager; logs go to `log`."""

    kafka: KafkaSettings
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    health_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ScannerProcess:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.running.poll() is None:
            self.running.kill()
            self.running.wait(10)

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The process. Only after start."""
        assert self.process is not None
        return self.process

    def start(self) -> None:
        """Starts it, again after `kill`."""
        inherited = {name: text for name, text in os.environ.items() if not name.startswith("VIGILO_")}
        ours = {
            "VIGILO_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "VIGILO_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "VIGILO_HEALTH_PORT": str(self.health_port),
            "VIGILO_POOL_ALLOW": "127.0.0.0/8,::1/128",
            "VIGILO_SCANNER_NAME": "scanner-under-test",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.scanner.app"],
                env={**inherited, **ours, **self.environment},
                stdout=log,
                stderr=log,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a health page; status 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}{path}", timeout=3) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self, seconds: float = 40.0) -> None:
        """Returns once /readyz says 200."""
        wait_for(lambda: self.get("/readyz")[0] == 200, seconds, self.log.read_text)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(20)

    def kill(self) -> None:
        """SIGKILL."""
        self.running.kill()
        self.running.wait(10)


def wait_for(condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = lambda: "") -> None:
    """Polls until the condition holds. Raises AssertionError with the explanation after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()[-4000:]
        time.sleep(0.05)


async def read_all(kafka: KafkaSettings, topic: str, count: int, *, seconds: float = 60.0) -> list[Record]:
    """The topic's records from the beginning: returns once there are `count`, with whatever came along."""

    async def from_the_beginning(_: object) -> dict[object, int]:
        return {}

    records: list[Record] = []
    deadline = time.monotonic() + seconds
    async with BatchConsumer(kafka, [topic], positions=from_the_beginning, group=None) as consumer:  # type: ignore[arg-type]
        while len(records) < count and time.monotonic() < deadline:
            records += await consumer.poll_batch(500, timedelta(seconds=0.5))
    return records
