"""Wires the projector: as a process of its own, or as a thread inside the API's process.

gather: BatchConsumer, from the offsets in PostgreSQL; decide: admission.py, projections.py; apply: store.py.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.api.projector.run import SERVICE, Progress, Projector
from services.api.projector.settings import ProjectorSettings
from vigilo.adapters import logs
from vigilo.adapters.health import Checks, HealthServer
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.settings import BadSettings, read
from vigilo.events.envelope import Record

logger = logging.getLogger("vigilo.api.projector")

_FAILED: Final = 70  # EX_SOFTWARE: a restart is always right
_READY_PHASES: Final = frozenset({"projecting", "standing by"})


class EmbeddedProjector:
    """A projector in a thread with an event loop of its own, so that decoding a batch delays no request.

    `failure` is what ended it; None while it runs and after `close`. `on_failure` is called in the thread, last.
    """

    def __init__(
        self,
        settings: ProjectorSettings,
        metrics: Metrics | None = None,
        *,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._on_failure = on_failure
        self.progress = Progress(committed=_measured(metrics) if metrics else lambda _: None)
        self.failure: BaseException | None = None
        self._projector: Projector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._work, name="projector", daemon=True)

    async def __aenter__(self) -> EmbeddedProjector:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def start(self) -> None:
        """Begins; returns at once."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """False once it has ended, for whatever reason."""
        return not self._ended.is_set()

    async def wait(self) -> None:
        """Returns when it has ended."""
        await asyncio.get_running_loop().run_in_executor(None, self._ended.wait)

    def close(self, timeout: float = 10.0) -> None:
        """Ends after the batch in hand; waits at most `timeout` seconds."""
        self._begun.wait(timeout)
        if self._loop is not None and self._projector is not None and self.running:
            self._loop.call_soon_threadsafe(self._projector.stop)
        self._thread.join(timeout)

    def check(self) -> tuple[bool, Mapping[str, object]]:
        """A readiness check (vigilo.adapters.health)."""
        details: dict[str, object] = {"phase": self.progress.phase, "events": self.progress.events}
        if self.failure is not None:
            details["failure"] = f"{type(self.failure).__name__}: {self.failure}"[:300]
        return self.running and self.progress.phase in _READY_PHASES, details

    def alive(self) -> tuple[bool, Mapping[str, object]]:
        """A liveness check: the thread has not ended."""
        return self.running, {"phase": self.progress.phase}

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # the thread's end is told to the process, whatever it was
            self.failure = error
            logger.critical("the projector ended", exc_info=error)
            self._on_failure()
        finally:
            self._begun.set()
            self._ended.set()

    async def _run(self) -> None:
        settings = self._settings
        async with Producer(settings.kafka, client_id=f"vigilo-{SERVICE}") as producer:
            self._projector = Projector(
                settings.kafka,
                settings.database_url.get_secret_value(),
                history=settings.history,
                send=producer.send_all,
                progress=self.progress,
            )
            self._loop = asyncio.get_running_loop()
            self._begun.set()
            await self._projector.run()


def _measured(metrics: Metrics) -> _Measured:
    return _Measured(metrics)


class _Measured:
    """Counts committed events, and how long after the broker took them they can be seen."""

    def __init__(self, metrics: Metrics) -> None:
        self._events = metrics.counter("vigilo_projector_events", "Events in the read model, by topic.", ["topic"])
        self._delay = metrics.histogram(
            "vigilo_projector_delay_seconds", "From the broker's append to the commit of the row, oldest of a batch."
        )

    def __call__(self, records: Sequence[Record]) -> None:
        for topic in {record.topic for record in records}:
            self._events.labels(topic).inc(sum(record.topic == topic for record in records))
        self._delay.observe(max(0.0, time.time() - min(record.timestamp_ms for record in records) / 1000))


async def serve(settings: ProjectorSettings) -> int:
    """Runs until SIGTERM or SIGINT (0) or until the projector ends by itself (70)."""
    metrics = Metrics(SERVICE)
    embedded = EmbeddedProjector(settings, metrics)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    checks = Checks(alive={"projector": embedded.alive}, ready={"projector": embedded.check})
    async with HealthServer(settings.health_port, checks, metrics, host=settings.health_host):
        embedded.start()
        waiting = {asyncio.create_task(stopping.wait()), asyncio.create_task(embedded.wait())}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await loop.run_in_executor(None, embedded.close)
    return 0 if embedded.failure is None else _FAILED


def main() -> int:
    """Entry point."""
    try:
        settings = read(ProjectorSettings)
    except BadSettings as error:
        print(f"vigilo projector: {error}", file=sys.stderr)
        return 1
    logs.configure(SERVICE, settings.log_level)
    return asyncio.run(serve(settings))
