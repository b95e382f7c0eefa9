"""Writing to Kafka: idempotent, acknowledged by all replicas, awaited.

Exceptions: Undelivered (one event did not arrive) < ProducerBroken (none ever will: end the process).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as LibrdkafkaProducer

from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import EncodedEvent

logger = logging.getLogger("vigilo.kafka.producer")

DELIVERY_TIMEOUT: Final = timedelta(seconds=120)
# An idle producer wakes up twice a second; acknowledgements end the wait at once.
_POLL_SECONDS: Final = 0.5
_QUEUE_FULL_PAUSE: Final = 0.02


class Undelivered(Exception):
    """An event that Kafka did not take; whether it arrived is unknown when the cause is a timeout.

    `code` is Kafka's name of the error, such as MSG_SIZE_TOO_LARGE or _MSG_TIMED_OUT.
    """

    def __init__(self, topic: str, cause: str, *, key: bytes | None = None, code: str = "") -> None:
        super().__init__(f"{topic}: {code}: {cause}" if code else f"{topic}: {cause}")
        self.topic = topic
        self.cause = cause
        self.key = key
        self.code = code


class ProducerBroken(Undelivered):
    """A fatal error of the idempotent producer, or a closed one: only a new producer can go on."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where an event went. `timestamp_ms` is the broker's append time."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int


class Producer:
    """One librdkafka producer and the thread that hears its acknowledgements.

    Made inside a running event loop. Events of one partition are written in the order of `send` calls. Close it.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        client_id: str,
        delivery_timeout: timedelta = DELIVERY_TIMEOUT,
        linger_ms: float = 1.0,
    ) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._acknowledged: deque[tuple[asyncio.Future[Delivered], Delivered | Undelivered]] = deque()
        self._lock = threading.Lock()
        self._wake_scheduled = False
        self._closing = threading.Event()
        config = producer_config(settings, client_id=client_id, delivery_timeout=delivery_timeout, linger_ms=linger_ms)
        self._client = LibrdkafkaProducer(config, logger=logger)
        self._thread = threading.Thread(target=self._hear, name=f"{client_id}-producer", daemon=True)
        self._thread.start()

    async def __aenter__(self) -> Producer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, event: EncodedEvent, *, partition: int | None = None) -> Delivered:
        """Writes one event and waits for its acknowledgement. Raises Undelivered or ProducerBroken."""
        return await (await self.enqueue(event, partition=partition))

    async def send_all(self, events: Iterable[EncodedEvent]) -> list[Delivered]:
        """Writes events in order and waits for all acknowledgements.

        Raises the first failure, after every event handed over has been acknowledged or has failed.
        """
        waiting: list[asyncio.Future[Delivered]] = []
        try:
            for event in events:
                waiting.append(await self.enqueue(event))
        finally:
            results = await asyncio.gather(*waiting, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Delivered)]

    async def enqueue(self, event: EncodedEvent, *, partition: int | None = None) -> asyncio.Future[Delivered]:
        """Hands one event to the client; the future resolves in this loop once it is acknowledged.

        Waits only while the client's own queue is full. The future raises Undelivered or ProducerBroken.
        """
        future: asyncio.Future[Delivered] = self._loop.create_future()
        # A pause, not a signal: the client frees its memory a moment after the acknowledgement is heard.
        while not self._try_produce(event, future, partition):  # noqa: ASYNC110
            await asyncio.sleep(_QUEUE_FULL_PAUSE)
        return future

    async def flush(self, timeout: timedelta = timedelta(seconds=10)) -> int:
        """Waits until everything handed over is acknowledged or failed; returns how many events are still open."""
        open_events = await self._loop.run_in_executor(None, self._client.flush, timeout.total_seconds())
        await asyncio.sleep(0)
        return int(open_events)

    async def close(self, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Flushes, stops the thread and fails what is still open after `timeout`. Safe to call twice."""
        if self._closing.is_set():
            return
        open_events = await self.flush(timeout)
        if open_events:
            logger.warning("closing with %d events not acknowledged", open_events)
            self._client.purge()
        self._closing.set()
        await self._loop.run_in_executor(None, self._thread.join)
        self._resolve()

    def _try_produce(self, event: EncodedEvent, future: asyncio.Future[Delivered], partition: int | None) -> bool:
        if self._closing.is_set():
            raise ProducerBroken(event.topic, "the producer is closed", key=event.key)

        def acknowledged(error: KafkaError | None, message: Message) -> None:
            self._enlist(future, outcome_of(event, error, message))

        arguments: dict[str, Any] = {} if partition is None else {"partition": partition}
        try:
            self._client.produce(
                self._settings.physical(event.topic),
                key=event.key,
                value=event.value,
                headers=list(event.headers),
                on_delivery=acknowledged,
                **arguments,
            )
        except BufferError:
            return False
        except KafkaException as error:
            raise _undelivered(event, error.args[0]) from error
        return True

    def _hear(self) -> None:
        while not self._closing.is_set():
            self._client.poll(_POLL_SECONDS)
        self._client.poll(0)

    def _enlist(self, future: asyncio.Future[Delivered], outcome: Delivered | Undelivered) -> None:
        # Runs in the thread that polls: one wake-up of the loop serves all acknowledgements that came together.
        with self._lock:
            self._acknowledged.append((future, outcome))
            if self._wake_scheduled:
                return
            self._wake_scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._resolve)
        except RuntimeError:
            logger.warning("the event loop ended before all acknowledgements came")

    def _resolve(self) -> None:
        with self._lock:
            ready, self._acknowledged = self._acknowledged, deque()
            self._wake_scheduled = False
        for future, outcome in ready:
            if future.done():  # cancelled by its caller
                continue
            if isinstance(outcome, Delivered):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)


def producer_config(
    settings: KafkaSettings, *, client_id: str, delivery_timeout: timedelta = DELIVERY_TIMEOUT, linger_ms: float = 1.0
) -> dict[str, Any]:
    """The librdkafka configuration every producer of Vigilo has."""
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": client_id,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "zstd",
        # librdkafka's own default is CRC32; everybody must agree with the Java client (vigilo.events.partitioner).
        "partitioner": "murmur2_random",
        "delivery.timeout.ms": int(delivery_timeout.total_seconds() * 1000),
        "linger.ms": linger_ms,
        "queue.buffering.max.kbytes": 65_536,
        # Above what any topic but dead-letters takes: the topic's own limit answers for the others.
        "message.max.bytes": 2_000_000,
        "log.connection.close": False,
        **settings.security().for_librdkafka(),
    }


def outcome_of(event: EncodedEvent, error: KafkaError | None, message: Message) -> Delivered | Undelivered:
    """What an acknowledgement says."""
    if error is not None:
        return _undelivered(event, error)
    return Delivered(event.topic, message.partition() or 0, message.offset() or 0, message.timestamp()[1])


def _undelivered(event: EncodedEvent, error: KafkaError) -> Undelivered:
    kind = ProducerBroken if error.fatal() else Undelivered
    return kind(event.topic, error.str(), key=event.key, code=error.name())
