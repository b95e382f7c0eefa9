"""Records nobody could use: written whole to `dead-letters`, and read back for people.

What a dead letter looks like, and when to stop instead, is decided in vigilo.ports.deadletters.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from vigilo.adapters.kafka.batches import BatchConsumer
from vigilo.adapters.kafka.producer import Producer, Undelivered
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Headers, Record
from vigilo.ports.deadletters import DEAD_LETTERS_TOPIC, HEADER_PREFIX, StopLimit, dead_letter

logger = logging.getLogger("vigilo.kafka.deadletters")

VALUE_OMITTED: Final = f"{HEADER_PREFIX}value_omitted"


def _now() -> datetime:
    return datetime.now(UTC)


class DeadLetters:
    """Where one service sends the inputs it refuses."""

    def __init__(
        self,
        producer: Producer,
        *,
        service: str,
        limit: StopLimit | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._producer = producer
        self._service = service
        self._limit = limit or StopLimit()
        self._now = now

    def accepted(self) -> None:
        """Counts one input that was used."""
        self._limit.accepted()

    async def refuse(self, record: Record, *, reason: str, detail: str) -> None:
        """The record is in `dead-letters`, acknowledged; only now may its offset be committed.

        Raises TooManyDeadLetters, with nothing written, when the service should stop; Undelivered when Kafka refuses.
        """
        self._limit.refused()
        letter = dead_letter(record, reason=reason, detail=detail, service=self._service, at=self._now())
        logger.warning("refused %s: %s: %s", position_of(record), reason, detail[:200])
        try:
            await self._producer.send(letter)
        except Undelivered as error:
            if error.code != "MSG_SIZE_TOO_LARGE":
                raise
            # Well compressed, it fitted its own topic. Its position says where to find it; the service must go on.
            size = str(len(record.value or b"")).encode()
            await self._producer.send(replace(letter, value=None, headers=((VALUE_OMITTED, size), *letter.headers)))


def position_of(record: Record) -> str:
    """`topic/partition/offset`, as `vigilo dlq show` takes it."""
    return f"{record.topic}/{record.partition}/{record.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter read back. `headers` are those of the original record, ours taken off."""

    record: Record
    about: Mapping[str, str]
    headers: Headers

    @property
    def origin(self) -> str:
        """`topic/partition/offset` of the refused record."""
        return "/".join(self.about.get(part, "?") for part in ("topic", "partition", "offset"))


def parse_dead_letter(record: Record) -> DeadLetter:
    """Takes our headers off; of several refusals of one record (replays) the newest, which comes first, counts."""
    about: dict[str, str] = {}
    for name, value in record.headers:
        if name.startswith(HEADER_PREFIX):
            about.setdefault(name.removeprefix(HEADER_PREFIX), value.decode("utf-8", "replace"))
    return DeadLetter(
        record, about, tuple((name, value) for name, value in record.headers if not name.startswith(HEADER_PREFIX))
    )


async def read_dead_letters(settings: KafkaSettings, *, timeout: timedelta) -> AsyncIterator[DeadLetter]:
    """All dead letters up to the end of the topic as it is now, oldest first within a partition.

    Raises TimeoutError when that takes longer than `timeout`, MissingTopics or ConsumerBroken.
    """
    async with (
        asyncio.timeout(timeout.total_seconds()),
        BatchConsumer(settings, [DEAD_LETTERS_TOPIC], positions=_from_the_beginning, group=None) as consumer,
    ):
        left = {partition: end for partition, (start, end) in (await consumer.bounds()).items() if start < end}
        while left:
            for record in await consumer.poll_batch(500, timedelta(seconds=1)):
                partition = Partition(record.topic, record.partition)
                if record.offset < left.get(partition, 0):
                    yield parse_dead_letter(record)
                if record.offset + 1 >= left.get(partition, 0):
                    left.pop(partition, None)


async def _from_the_beginning(_: Sequence[Partition]) -> Mapping[Partition, int]:
    return {}
