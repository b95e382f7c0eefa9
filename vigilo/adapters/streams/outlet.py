"""Everything a stream service writes goes through here: checked for ownership, awaited, watched for clock skew.

Faust's own buffer is not used: its flush returns with a stalled buffer and ignores failed sends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from aiokafka.protocol.produce import ProduceRequest

from vigilo.adapters.streams.ownership import Ownership, OwnershipLost
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.events.envelope import EncodedEvent, Headers

_LOG_APPEND_TIME = 1

End = Callable[[str, BaseException | None], NoReturn]


class Outlet:
    """The process's one producer (aiokafka, idempotent), lent by Faust once it has started it.

    A record that cannot be written ends the process: its event is then not acknowledged and is read again.
    """

    def __init__(self, settings: StreamSettings, ownership: Ownership, end: End) -> None:
        self._settings = settings
        self._ownership = ownership
        self._end = end
        self._producer: Any = None
        self._unsettled: set[asyncio.Future[Any]] = set()
        self._known_topics: set[str] = set()
        self.clock_skew_s: float | None = None

    def attach(self, producer: Any) -> None:
        """Uses this started AIOKafkaProducer; its produce requests are checked once they are encoded.

        Records that were buffered before the process was paused would otherwise still go out after it. Between this
        check and the socket lie some microseconds: a pause just there lets one request through.
        """
        self._producer = producer
        client, send = producer.client, producer.client.send

        async def checked(node_id: int, request: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(request, ProduceRequest):
                self._check_when_encoded(request)
            return await send(node_id, request, *args, **kwargs)

        client.send = checked

    def _check_when_encoded(self, request: Any) -> None:
        prepare = request.prepare

        def prepared(versions: Any) -> Any:
            struct = prepare(versions)
            encode = struct.encode

            def encoded() -> bytes:
                message: bytes = encode()
                try:
                    self._ownership.check()
                except OwnershipLost as error:
                    self._end("about to write without owning the partitions", error)
                return message

            struct.encode = encoded
            return struct

        request.prepare = prepared

    async def write(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = (), *, partition: int | None = None
    ) -> asyncio.Future[Any]:
        """Hands one record to the producer, in order; the future is the acknowledgement. `topic` as in Kafka.

        The process ends when the acknowledgement is a failure, whether or not anybody awaits it.
        """
        self._ownership.check()
        sent_at = time.time()
        acknowledgement: asyncio.Future[Any] = await self._producer.send(
            topic, value, key=key, partition=partition, headers=list(headers)
        )
        self._unsettled.add(acknowledgement)
        acknowledgement.add_done_callback(lambda done: self._settle(done, topic, sent_at))
        return acknowledgement

    async def emit(
        self, events: Iterable[EncodedEvent], *, partition_of: Callable[[EncodedEvent], int] | None = None
    ) -> None:
        """Writes events in order and waits until all are acknowledged. Without `partition_of` the key decides."""
        written = [
            await self.write(
                self._settings.physical(event.topic),
                event.key,
                event.value,
                event.headers,
                partition=None if partition_of is None else partition_of(event),
            )
            for event in events
        ]
        for acknowledgement in written:
            await acknowledgement

    async def settled(self) -> None:
        """Waits until everything handed over before this call is acknowledged."""
        waiting = tuple(self._unsettled)
        if waiting:
            await asyncio.gather(*waiting)

    async def topic_exists(self, topic: str) -> bool:
        """True if the topic (as in Kafka) exists. A send to a missing topic spins inside the client."""
        if topic in self._known_topics:
            return True
        client = self._producer.client
        # An entry in the client's topic set keeps its metadata fresh; a missing topic is not asked for again and again.
        partitions = client.cluster.partitions_for_topic(topic)
        if partitions is None:
            metadata = await client.fetch_all_metadata()
            partitions = metadata.partitions_for_topic(topic)
        if not partitions:
            return False
        self._known_topics.add(topic)
        return True

    def _settle(self, done: asyncio.Future[Any], topic: str, sent_at: float) -> None:
        self._unsettled.discard(done)
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._end(f"a record for {topic} was not written", error)
        metadata = done.result()
        if metadata.timestamp_type == _LOG_APPEND_TIME:
            self.clock_skew_s = clock_skew(metadata.timestamp / 1000, sent_at=sent_at, acknowledged_at=time.time())


def clock_skew(appended_at: float, *, sent_at: float, acknowledged_at: float) -> float:
    """Seconds by which the broker's append time lies outside the time the record was under way; 0 if inside."""
    if appended_at > acknowledged_at:
        return appended_at - acknowledged_at
    return min(0.0, appended_at - sent_at)
