"""Wires the scanner: `python -m services.scanner.app`."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from services.scanner.courtesy import PROBES_PER_ADDRESS, Courtesy
from services.scanner.dns_servers import DnsResolver
from services.scanner.figures import Figures
from services.scanner.intake import SNAPSHOTS_TOPIC, PoolMembership
from services.scanner.performing import Performer
from services.scanner.resolve import Resolver, SystemResolver
from services.scanner.settings import ScannerSettings
from services.scanner.tools import Tools
from vigilo.adapters.health import Checks, HealthServer
from vigilo.adapters.kafka.consumer import WorkConsumer
from vigilo.adapters.kafka.deadletters import DeadLetters
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.kafka.topics import wait_for_topics
from vigilo.adapters.logs import configure
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.settings import BadSettings, read
from vigilo.events.topics import pool_topic, scan_topics
from vigilo.ports.deadletters import DEAD_LETTERS_TOPIC

logger = logging.getLogger("vigilo.scanner")

SERVICE = "scanner"
_BAD_SETTINGS = 78  # EX_CONFIG
_FAILED = 70  # EX_SOFTWARE: a restart is always right
_CLOCK_SKEW_SECONDS = 30.0
# A scanner without partitions is a spare one: after this long it counts as ready, or no rollout would end.
_SPARE_AFTER_SECONDS = 30.0
_SHARE_FOR_PEOPLE = 4  # a quarter of the scans at once is kept for the fast lane


class Scanner:
    """One process: reads a pool's requests, publishes snapshots, answers health."""

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings
        self._consumer: WorkConsumer | None = None
        self._started_at: float | None = None
        self._figures: Figures | None = None

    @property
    def started(self) -> bool:
        """True once requests are being read."""
        return self._started_at is not None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; scans under way are finished, their snapshots published, their offsets committed.

        Those not finished `scanner_stop_seconds` later are left uncommitted.
        """
        settings, metrics = self._settings, Metrics(SERVICE)
        async with AsyncExitStack() as stack:
            health = HealthServer(
                settings.health_port, Checks(ready={"reading": self._ready}), metrics, host=settings.health_host
            )
            await stack.enter_async_context(health)
            resolver = _resolver(settings, stack)
            tools = Tools(
                resolver=resolver,
                egress=settings.scan_egress(),
                name=settings.scanner_name,
                ehlo_name=settings.ehlo_name,
                probes=settings.probes(),
                courtesy=_courtesy(settings),
            )
            stack.push_async_callback(tools.close)
            await wait_for_topics(settings.kafka, (SNAPSHOTS_TOPIC, DEAD_LETTERS_TOPIC))
            producer = await stack.enter_async_context(Producer(settings.kafka, client_id=f"vigilo-{SERVICE}"))
            consumer = await stack.enter_async_context(_consumer(settings))
            self._figures = Figures(metrics, tools, in_flight=lambda: consumer.in_flight)
            self._consumer, self._started_at = consumer, time.monotonic()
            performer = Performer(
                tools=tools,
                membership=PoolMembership(settings.pool, settings.workspaces),
                producer=producer,
                dead_letters=DeadLetters(producer, service=SERVICE),
                figures=self._figures,
                source=f"vigilo/{SERVICE}/{settings.scanner_name}",
            )
            logger.info("pool %s: up to %d scans at once", settings.pool, settings.scanner_concurrency)
            await _until(stopping, consumer, performer, stop_seconds=settings.scanner_stop_seconds)

    def _ready(self) -> tuple[bool, Mapping[str, object]]:
        if self._consumer is None or self._started_at is None:
            return False, {"reason": "waiting for topics"}
        assigned, in_flight = len(self._consumer.assigned), self._consumer.in_flight
        skew = None if self._figures is None else self._figures.clock_skew_s
        details = {"partitions": assigned, "in_flight": in_flight, "clock_skew_seconds": skew}
        if skew is not None and abs(skew) > _CLOCK_SKEW_SECONDS:
            return False, {"reason": "our clock differs from the broker's", **details}
        spare = time.monotonic() - self._started_at > _SPARE_AFTER_SECONDS
        return assigned > 0 or spare, details


async def _until(stopping: asyncio.Event, consumer: WorkConsumer, performer: Performer, *, stop_seconds: float) -> None:
    """Scans until told to stop, then finishes what is under way; what takes longer stays uncommitted for the next."""
    working = asyncio.create_task(performer.run(consumer))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    consumer.stop()
    try:
        async with asyncio.timeout(stop_seconds):
            await working
    except TimeoutError:
        logger.warning("%d scans were still under way: left to the next scanner", consumer.in_flight)
        await consumer.close(timedelta(0))
    except Exception:
        # What is not done stays so: there is nothing to wait for.
        await consumer.close(timedelta(0))
        raise


def _consumer(settings: ScannerSettings) -> WorkConsumer:
    at_once = settings.scanner_concurrency
    return WorkConsumer(
        settings.kafka,
        scan_topics(settings.pool),
        # A group of its own: scanners that come and go in one network must not hold up those of another.
        group=pool_topic(SERVICE, settings.pool),
        max_in_flight=at_once,
        reserved=at_once // _SHARE_FOR_PEOPLE,
    )


def _courtesy(settings: ScannerSettings) -> Courtesy:
    per_address = settings.scanner_connections_per_address
    return Courtesy(per_address, min(PROBES_PER_ADDRESS, per_address))


def _resolver(settings: ScannerSettings, stack: AsyncExitStack) -> Resolver:
    if settings.dns_addresses():
        return DnsResolver(settings.dns_addresses())
    # The C library's defaults (5 s, twice) would keep a thread long after its scan has ended.
    os.environ.setdefault("RES_OPTIONS", "timeout:2 attempts:2")
    resolver = SystemResolver(threads=min(settings.scanner_concurrency, 256))
    stack.callback(resolver.close)
    return resolver


def _raise_file_limit(settings: ScannerSettings) -> None:
    """Each scan may hold five connections, each for a second longer than the scan."""
    wanted = settings.scanner_concurrency * 10 + 256
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        if limit < wanted:
            logger.warning("only %d open files are allowed; %d would suit the concurrency", limit, wanted)


async def _run(settings: ScannerSettings) -> None:
    stopping, scanner = asyncio.Event(), Scanner(settings)
    serving = asyncio.create_task(scanner.serve(stopping))

    def stop() -> None:
        stopping.set()
        if not scanner.started:
            serving.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("stopped before the first scan")


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit status is 0 then, 70 when something broke, 78 for wrong settings."""
    try:
        settings = read(ScannerSettings)
    except BadSettings as error:
        print(f"{SERVICE}: {error}", file=sys.stderr)
        return _BAD_SETTINGS
    configure(SERVICE, settings.log_level)
    # Odd certificates are our daily bread; what is odd about them is in their facts.
    warnings.filterwarnings("ignore", module=r"cryptography|services\.scanner|vigilo\.tls")
    _raise_file_limit(settings)
    try:
        asyncio.run(_run(settings))
    except Exception:
        logger.exception("the scanner ended")
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
