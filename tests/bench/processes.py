"""Processes that work off a topic, watched from outside: events, wall time, CPU time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.bare_agent import BareConfig
from vigilo.adapters.settings import KafkaSettings
from vigilo_cli.launcher.ports import any_free

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

    def mean_batch(self) -> float:
        """Events per batch so far."""
        text = self._get("metrics") or ""
        return _metric(text, "vigilo_stream_events_total") / max(1.0, _metric(text, "vigilo_stream_batches_total"))

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
