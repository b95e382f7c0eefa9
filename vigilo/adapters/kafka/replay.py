"""Reading topics again for a report: partition by partition, outside any group, from an instant to the present end.

Blocking, for commands that people wait for; services read with the consumers beside this module.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from vigilo.adapters.kafka.records import ConsumerBroken, consumer_config, logger, record_of
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

_BATCH: Final = 500
_POLL_SECONDS: Final = 1.0
_REQUEST_SECONDS: Final = 10.0


class Replay:
    """Reads some topics once more. Nothing is committed, no group is joined, nothing is written."""

    def __init__(self, settings: KafkaSettings, topics: Iterable[str], *, within: timedelta) -> None:
        """`within` bounds all reading together, from now on; see `records`."""
        self._settings = settings
        self._names = {settings.physical(topic): topic for topic in topics}
        self._deadline = time.monotonic() + within.total_seconds()
        config = consumer_config(settings, group="replay", client_id="vigilo-replay", reset="earliest")
        # A fetch at the end of one partition would hold up the first of the next.
        self._client = Consumer({**config, "enable.partition.eof": True, "fetch.wait.max.ms": 20}, logger=logger)

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises ConsumerBroken."""
        name = self._settings.physical(topic)
        try:
            found = self._client.list_topics(name, timeout=_REQUEST_SECONDS).topics[name]
        except KafkaException as error:
            raise ConsumerBroken(f"{name}: {error.args[0]}") from error
        if found.error is not None:
            raise ConsumerBroken(f"{name}: {found.error}")
        return len(found.partitions)

    def records(self, topic: str, partition: int, *, since: datetime | None = None) -> Iterator[Record]:
        """The records the partition has now, oldest first; `since` leaves out what was appended before that instant.

        One partition at a time. Raises TimeoutError when the time of `within` is over, and ConsumerBroken.
        """
        try:
            yield from self._records(TopicPartition(self._settings.physical(topic), partition), since)
        except KafkaException as error:
            raise ConsumerBroken(f"{topic} partition {partition}: {error.args[0]}") from error

    def _records(self, partition: TopicPartition, since: datetime | None) -> Iterator[Record]:
        start, end = self._bounds(partition, since)
        if start >= end:
            return
        self._client.assign([TopicPartition(partition.topic, partition.partition, start)])
        try:
            position = start
            while position < end:
                if time.monotonic() > self._deadline:
                    raise TimeoutError(f"{partition.topic} partition {partition.partition} at {position} of {end}")
                for message in self._batch():
                    position = self._position(message, position, end)
                    if message.error() is None and position <= end:
                        yield record_of(message, self._names)
        finally:
            self._client.unassign()

    def _batch(self) -> list[Message]:
        # `consume` waits for the whole batch: wait for the first, then take what is there.
        first = self._client.poll(_POLL_SECONDS)
        return [] if first is None else [first, *self._client.consume(_BATCH, timeout=0)]

    def _bounds(self, partition: TopicPartition, since: datetime | None) -> tuple[int, int]:
        begin, end = self._client.get_watermark_offsets(partition, timeout=_REQUEST_SECONDS)
        if since is None:
            return begin, end
        wanted = TopicPartition(partition.topic, partition.partition, int(since.timestamp() * 1000))
        (found,) = self._client.offsets_for_times([wanted], timeout=_REQUEST_SECONDS)
        # Negative: nothing was appended since.
        return (found.offset if found.offset >= 0 else end), end

    @staticmethod
    def _position(message: Message, position: int, end: int) -> int:
        error = message.error()
        if error is None:
            return (message.offset() or 0) + 1
        if error.code() == KafkaError._PARTITION_EOF:
            # The last offsets may be a transaction's marks, which no reader is given.
            return end
        if error.fatal():
            raise KafkaException(error)
        logger.warning("%s: %s", message.topic(), error.str())
        return position
