"""Wires the notifier: `python -m services.notifier.app`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from services.notifier.channels.registry import senders
from services.notifier.destinations import SealedDestinations
from services.notifier.forgetting import Forgetter
from services.notifier.http import HttpPoster
from services.notifier.intake import INPUTS, SERVICE, Intake
from services.notifier.ledger.announcing import OUTBOX
from services.notifier.measuring import attempt_counter, circuit_gauge
from services.notifier.reading import Reading
from services.notifier.repeating import Repeater
from services.notifier.settings import NotifierSettings
from services.notifier.watching import Watcher
from services.notifier.worker import Worker
from vigilo.adapters.health import Checks, HealthServer
from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.logs import configure
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.outbox import DELIVERY_TIMEOUT, OutboxRelay
from vigilo.adapters.postgres import Pool, connection_pool
from vigilo.adapters.settings import read

logger = logging.getLogger("vigilo.notifier")

_FAILED = 70  # EX_SOFTWARE: a restart is always right


def utc_now() -> datetime:
    """The wall clock, UTC-aware."""
    return datetime.now(UTC)


async def serve(settings: NotifierSettings, stopping: asyncio.Event) -> None:
    """Runs until `stopping`; attempts under way are finished and recorded."""
    metrics = Metrics(SERVICE)
    async with AsyncExitStack() as stack:
        pool = connection_pool(settings.url(), name="vigilo-notifier", most=settings.database_connections)
        poster = HttpPoster(settings.delivery_egress(), tls=settings.tls())
        stack.push_async_callback(poster.close)
        by_kind, limits = senders(settings, poster, clock=utc_now), settings.limits()
        producer = await stack.enter_async_context(_producer(settings))
        sealed = SealedDestinations(settings.box())
        worker = Worker(pool, by_kind, sealed, clock=utc_now, limits=limits, on_attempt=attempt_counter(metrics))
        reading = Reading(pool, Intake(), producer, clock=utc_now, on_entered=worker.wake)
        consumer = BatchConsumer(settings.kafka, INPUTS, positions=reading.positions, group=SERVICE)
        checks = Checks(ready={"database": lambda: _answers(pool), "reading": lambda: _reads(consumer)})
        await stack.enter_async_context(HealthServer(settings.health_port, checks, metrics, host=settings.health_host))
        await pool.open()
        stack.push_async_callback(pool.close)
        stack.push_async_callback(consumer.close)
        if not await _started(consumer, stopping):
            return
        watcher = Watcher(pool, clock=utc_now, limits=limits, on_told=worker.wake, on_circuits=circuit_gauge(metrics))
        await _until_stopped(
            stopping,
            worker,
            asyncio.create_task(reading.run(consumer)),
            asyncio.create_task(worker.run()),
            asyncio.create_task(OutboxRelay(OUTBOX, url=settings.url(), producer=lambda: _producer(settings)).run()),
            asyncio.create_task(Repeater(pool, by_kind, sealed, clock=utc_now, limits=limits).run()),
            asyncio.create_task(watcher.run()),
            asyncio.create_task(Forgetter(pool, clock=utc_now, history=settings.history).run()),
        )


async def _started(consumer: BatchConsumer, stopping: asyncio.Event) -> bool:
    """False if the process was told to stop while it waited for Kafka or for topics."""
    starting, waiting = asyncio.create_task(consumer.start()), asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return False
    starting.result()
    return True


async def _until_stopped(stopping: asyncio.Event, worker: Worker, *work: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    reading, sending, relaying, *others = work
    if waiting in done:
        for task in (reading, *others):
            task.cancel()
        worker.stop()
        await sending
        relaying.cancel()
        return
    for ended in done:
        ended.result()
    raise RuntimeError("a part of the notifier ended by itself")


def _producer(settings: NotifierSettings) -> Producer:
    return Producer(settings.kafka, client_id="vigilo-notifier", delivery_timeout=DELIVERY_TIMEOUT)


async def _answers(pool: Pool) -> tuple[bool, Mapping[str, object]]:
    async with pool.connection(timeout=1) as connection:
        await connection.execute("select 1 from notifier.deliveries limit 1")
    return True, {}


def _reads(consumer: BatchConsumer) -> tuple[bool, Mapping[str, object]]:
    return consumer.generation > 0, {"partitions": len(consumer.assigned)}


async def _main(settings: NotifierSettings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(settings, stopping)


def main() -> None:
    """Runs until SIGTERM; any failure ends the process with code 70."""
    settings = read(NotifierSettings)
    configure(SERVICE, settings.log_level)
    try:
        asyncio.run(_main(settings))
    except Exception:
        logger.exception("the notifier failed")
        os._exit(_FAILED)


if __name__ == "__main__":
    main()
