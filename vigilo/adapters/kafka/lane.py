"""One topic of a WorkConsumer: one librdkafka consumer, the thread that polls it, its watermarks.

The thread owns the client; `finish`, `drop` and `holds` may be called from anywhere.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from vigilo.adapters.kafka.records import ConsumerBroken, Partition, consumer_config, logger, record_of
from vigilo.adapters.kafka.slots import Slots
from vigilo.adapters.kafka.watermark import Watermark
from vigilo.adapters.settings import KafkaSettings
from vigilo.events.envelope import Record

# An idle lane wakes up once a second; a record ends the wait at once.
_POLL_SECONDS: Final = 1.0
_HELD_POLL_SECONDS: Final = 0.05
_COMMIT_EVERY_SECONDS: Final = 1.0
# So long a full lane may stand still before it pauses its partitions and goes on polling, as the group demands.
_PATIENCE_SECONDS: Final = 2.0


@dataclass(slots=True, eq=False)
class Taken:
    """One record to work on. Call `done` once, whatever became of it; after that it may be committed."""

    record: Record
    lane: Lane
    watermark: Watermark
    finished: bool = False

    def done(self) -> None:
        """The record needs no further work. Calls after the first do nothing."""
        if not self.finished:
            self.finished = True
            self.lane.finish(self)

    @property
    def partition(self) -> Partition:
        """Where the record was read."""
        return Partition(self.record.topic, self.record.partition)


class Lane:
    """Reads one topic as a member of the group `<group>-<topic>` and offers its records, slots permitting."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        *,
        group: str,
        rank: int,
        slots: Slots,
        offer: Callable[[int, Taken | Exception], None],
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._rank = rank
        self._slots = slots
        self._offer = offer
        self._names = {settings.physical(topic): topic}
        self._lock = threading.Lock()
        self._watermarks: dict[Partition, Watermark] = {}
        self._committed: dict[Partition, int] = {}
        self._waiting: deque[Taken] = deque()
        self._paused = False
        self._hold = threading.Event()
        self._end = threading.Event()
        self._commit_at = 0.0
        name = f"{group}-{topic}"
        config = consumer_config(settings, group=name, client_id=f"vigilo-{name}", reset="earliest")
        self._client = Consumer({**config, "on_commit": self._committed_or_not}, logger=logger)
        self._client.subscribe(list(self._names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions this process has now."""
        with self._lock:
            return frozenset(self._watermarks)

    def hold(self) -> None:
        """No further record is offered; offsets of those offered before are still committed."""
        self._hold.set()

    def end(self) -> None:
        """Commits what is contiguous and leaves the group; blocks until that is done."""
        self._end.set()
        self._thread.join()

    def holds(self, taken: Taken) -> bool:
        """False once the record's partition was given up: somebody else will get the record."""
        with self._lock:
            return self._watermarks.get(taken.partition) is taken.watermark

    def finish(self, taken: Taken) -> None:
        """Counts the record as done."""
        with self._lock:
            taken.watermark.finish(taken.record.offset)
        self._slots.give_back()

    def drop(self, taken: Taken) -> None:
        """Frees the slot of a record nobody worked on; it stays uncommitted."""
        if not taken.finished:
            taken.finished = True
            self._slots.give_back()

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._step()
        except Exception as error:
            logger.exception("reading %s ended", self._topic)
            self._offer(self._rank, ConsumerBroken(f"{self._topic}: {error}"))
        finally:
            self._leave()

    def _step(self) -> None:
        self._poll(self._poll_seconds())
        if self._hold.is_set() or not self._begin_waiting():
            self._pause()
        else:
            self._resume()
        if time.monotonic() >= self._commit_at:
            self._commit_at = time.monotonic() + _COMMIT_EVERY_SECONDS
            self._commit(self._progress(), wait=False)

    def _begin_waiting(self) -> bool:
        """Offers the records in hand; False when one found no slot."""
        while self._waiting:
            if not self._slots.take(self._rank, timeout=0 if self._paused else _PATIENCE_SECONDS):
                return False
            self._begin(self._waiting.popleft())
        return True

    def _poll_seconds(self) -> float:
        # Records in hand wait for a slot: look again soon. Otherwise the client wakes us up.
        return _HELD_POLL_SECONDS if self._paused or self._hold.is_set() else _POLL_SECONDS

    def _poll(self, timeout: float) -> None:
        message = self._client.poll(timeout)
        if message is None or self._is_trouble(message):
            return
        record = record_of(message, self._names)
        watermark = self._watermarks.get(Partition(record.topic, record.partition))
        if watermark is not None:
            self._waiting.append(Taken(record, self, watermark))

    def _is_trouble(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.fatal():
            raise KafkaException(error)
        logger.warning("%s: %s", self._topic, error.str())
        return True

    def _begin(self, taken: Taken) -> None:
        with self._lock:
            if self._watermarks.get(taken.partition) is taken.watermark:
                taken.watermark.start(taken.record.offset)
            else:
                self.drop(taken)
                return
        self._offer(self._rank, taken)

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._client.pause(self._client.assignment())

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._client.resume(self._client.assignment())

    def _progress(self) -> list[TopicPartition]:
        """Offsets that moved since the last commit."""
        moved = []
        with self._lock:
            for partition, watermark in self._watermarks.items():
                offset = watermark.next_offset
                if offset is not None and offset != self._committed.get(partition):
                    self._committed[partition] = offset
                    moved.append(TopicPartition(self._settings.physical(self._topic), partition.number, offset))
        return moved

    def _commit(self, offsets: list[TopicPartition], *, wait: bool) -> None:
        if not offsets:
            return
        try:
            if wait:
                self._client.commit(offsets=offsets, asynchronous=False)
            else:
                self._client.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            self._committed_or_not(error.args[0], offsets)

    def _committed_or_not(self, error: KafkaError | None, _: list[TopicPartition]) -> None:
        if error is None:
            return
        # What is not committed is read again after a restart: say so, and commit again with the next progress.
        logger.warning("%s: offsets were not committed: %s", self._topic, error)
        with self._lock:
            self._committed.clear()

    def _assigned(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        with self._lock:
            for partition in partitions:
                self._watermarks[Partition(self._topic, partition.partition)] = Watermark()
        client.incremental_assign(partitions)
        if self._paused:
            client.pause(partitions)
        logger.info("%s: got partitions %s", self._topic, [partition.partition for partition in partitions])

    def _revoked(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit(self._progress(), wait=True)
        self._lost(client, partitions)

    def _lost(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        # Without a commit when the group took them away: somebody else may own them already.
        with self._lock:
            for partition in partitions:
                self._watermarks.pop(Partition(self._topic, partition.partition), None)
                self._committed.pop(Partition(self._topic, partition.partition), None)
        client.incremental_unassign(partitions)
        logger.info("%s: gave up partitions %s", self._topic, [partition.partition for partition in partitions])

    def _leave(self) -> None:
        try:
            self._commit(self._progress(), wait=True)
            self._client.close()
        except (KafkaException, RuntimeError) as error:
            logger.warning("%s: closing failed: %s", self._topic, error)
