"""Faust's aiokafka transport with our consumer (own positions, heartbeats heard) and our producer (idempotent)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Producer, Transport
from faust.types import TP
from mode.utils.futures import notify

from vigilo.adapters.streams.hooks import Hooks, hooks_of
from vigilo.adapters.streams.ownership import watch_heartbeats


class HeardConsumerThread(AIOKafkaConsumerThread):
    """Tells `ownership` of every answered heartbeat."""

    async def on_start(self) -> None:
        """Starts the consumer and listens to its coordinator."""
        await super().on_start()
        watch_heartbeats(self._ensure_consumer()._coordinator, hooks_of(self.app).ownership)


class PositionConsumer(Consumer):
    """Commits what the loop has processed; Faust's lists of acknowledged offsets and gaps are not used."""

    gaps = 0
    # Fetches begun. Faust asks again only after it has put every record of the fetch before into its queues.
    fetches = 0
    # Until then records are here that the loop has not seen.
    handing_over = False

    def _new_consumer_thread(self) -> HeardConsumerThread:
        return HeardConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _hooks(self) -> Hooks:
        return hooks_of(self.app)

    def highwater(self, tp: Any) -> Any:
        """The end of a partition as last fetched; None if unknown.

        aiokafka asserts that the partition is assigned, and a rebalance in its thread can come between any two lines
        of ours: Faust's fetcher would die of it.
        """
        try:
            return super().highwater(tp)
        except (AssertionError, AttributeError, KafkaError):
            return None

    async def perform_seek(self) -> None:
        """Reads on from the committed offsets, and our positions with it; without a commit from the log's start."""
        committed = {tp: _known(offset) for tp, offset in (await self.seek_to_committed()).items()}
        self._read_offset.update(committed)
        self._committed_offset.update(committed)
        inputs = {tp: offset for tp, offset in committed.items() if tp.topic in self._hooks.inputs}
        starts = await self.earliest_offsets(*(tp for tp, offset in inputs.items() if offset is None))
        for tp, offset in inputs.items():
            following = _known(starts.get(tp)) if offset is None else offset
            self._hooks.positions.start(tp, following, committed=offset, now=monotonic())

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Fetched records of partitions that are being read; whatever else was handed out is put back.

        Faust passes its own set, and changes it while the fetch waits. When recovery ends the set is empty for a
        moment, which aiokafka takes for "all partitions": it hands out input records, Faust drops them, and the
        partition stands still (once in about twenty restarts) or goes on behind a gap.
        """
        self.fetches += 1
        self.handing_over = False
        asked: Any = None if active_partitions is None else frozenset(active_partitions)
        records = dict(await super()._getmany(asked, timeout))
        while strays := self._strays(records):
            for tp in strays:
                del records[tp]
            with suppress(IllegalStateError):  # not ours any more: another worker reads it
                await self._thread.seek_wait(strays)
        self.handing_over = bool(records)
        return records

    def _strays(self, records: Mapping[Any, Sequence[Any]]) -> dict[Any, int]:
        read = self._active_partitions | self._buffered_partitions
        inputs = self._hooks.inputs
        return {tp: batch[0].offset for tp, batch in records.items() if tp.topic in inputs and tp not in read}

    def ack(self, message: Any) -> bool:
        """The message is no longer in work. What is committed is decided by the positions alone."""
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return True

    async def _commit_tps(self, tps: Iterable[Any], start_new_transaction: bool) -> bool:
        offsets = self._hooks.positions.committable()
        if not offsets:
            return False
        # A commit says "never again": first everything these events wrote must be there.
        await self._hooks.outlet.settled()
        done = await self._commit_offsets(
            {TP(*tp): offset for tp, offset in offsets.items()}, start_new_transaction=start_new_transaction
        )
        if done:
            self._hooks.positions.committed(offsets)
            await self._hooks.committed(offsets)
        return bool(done)

    async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
        # Normal on compacted topics; elsewhere the loop ends the process when it meets the record after the gap.
        self.gaps += 1


def _known(offset: int | None) -> int | None:
    return offset if offset is not None and offset >= 0 else None


class IdempotentProducer(Producer):
    """acks=all and no duplicates from retries; Faust asks for neither unless in a transaction."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    async def on_start(self) -> None:
        """Starts the producer and lends it to the outlet."""
        await super().on_start()
        hooks_of(self.app).outlet.attach(self._ensure_producer())


class HardenedTransport(Transport):
    """What our app talks to Kafka with."""

    Consumer = PositionConsumer
    Producer = IdempotentProducer
