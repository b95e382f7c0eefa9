"""Requests from Kafka to snapshots in Kafka, many at a time, each acknowledged only when its snapshot is."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime

from services.scanner import intake
from services.scanner.figures import Figures
from services.scanner.pool_health import PoolHealth
from services.scanner.probing import Timing, describe
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from vigilo.adapters.kafka.consumer import Taken, WorkConsumer
from vigilo.adapters.kafka.deadletters import DeadLetters
from vigilo.adapters.kafka.producer import Producer
from vigilo.events.codec import UndecodableRecord, decode, encode
from vigilo.events.envelope import Record
from vigilo.events.scans import ScanRequested, Snapshot

logger = logging.getLogger("vigilo.scanner")

HOST_SECONDS = 60.0


@dataclass(slots=True)
class Performer:
    """Performs every request it is given. The first failure that is ours ends `run`, and so the process."""

    tools: Tools
    membership: intake.PoolMembership
    producer: Producer
    dead_letters: DeadLetters
    figures: Figures
    source: str
    health: PoolHealth = field(default_factory=PoolHealth)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _broken: asyncio.Future[None] | None = None

    async def run(self, consumer: WorkConsumer) -> None:
        """Until the consumer is stopped; then the scans under way are finished.

        Raises what ended it: ConsumerBroken, Undelivered, TooManyDeadLetters.
        """
        self._broken = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(self._read(consumer))
        try:
            await asyncio.wait({reading, self._broken}, return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            await reading
            await asyncio.gather(*self._under_way)
            if self._broken.done():
                self._broken.result()
        finally:
            await _cancelled(reading, *self._under_way)
            self._broken.cancel()

    async def _read(self, consumer: WorkConsumer) -> None:
        async for taken in consumer:
            task = asyncio.create_task(self._perform(taken))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _perform(self, taken: Taken) -> None:
        try:
            await self._one(taken.record)
        except Exception as error:
            # Not `done`: the record is read again by whoever comes next.
            if self._broken is not None and not self._broken.done():
                self._broken.set_exception(error)
            return
        taken.done()

    async def _one(self, record: Record) -> None:
        # gather
        try:
            request = decode(record, ScanRequested)
        except UndecodableRecord as error:
            await self._refuse(record, error.reason, error.detail)
            return
        now = self.tools.now()
        if intake.is_expired(request, at=now):
            self.figures.expired(request)
            self.dead_letters.accepted()
            return
        self.figures.begun(request, at=now)
        # decide
        snapshot = await self._look(record, request, at=now)
        if snapshot is None:
            return
        snapshot = self._marked(request, snapshot)
        # apply
        outgoing = intake.snapshot_event(snapshot, traceparent=record.header("traceparent"))
        delivered = await self.producer.send(encode(outgoing, source=self.source))
        self.dead_letters.accepted()
        self.figures.finished(snapshot, request, appended_ms=delivered.timestamp_ms, at=self.tools.now())

    def _marked(self, request: ScanRequested, snapshot: Snapshot) -> Snapshot:
        before, pool = self.health.is_suspect, self.membership.pool
        marked = self.health.hear(request, snapshot, at=self.tools.now())
        # Not with the snapshot's own figures: those come when it is acknowledged, in any order.
        self.figures.suspected(is_suspect=self.health.is_suspect)
        if self.health.is_suspect and not before:
            logger.error("pool %s: most hosts fell silent at once: is its own network well?", pool)
        elif before and not self.health.is_suspect:
            logger.info("pool %s: its network is well again", pool)
        return marked

    async def _look(self, record: Record, request: ScanRequested, *, at: datetime) -> Snapshot | None:
        refusal = self.membership.refusal(request)
        if refusal is not None:
            return describe(request, refusal, Timing(at, at, 0), scanner=self.tools.name)
        try:
            async with asyncio.timeout(HOST_SECONDS):
                return await scan_target(request, self.tools)
        except Exception as error:  # a bug of ours must not stop everybody else's scans; many of them stop the service
            logger.exception("scan %s of %s failed", request.scan_id, request.target.hostname)
            await self._refuse(record, "scan-failed", f"{type(error).__name__}: {error}")
            return None

    async def _refuse(self, record: Record, reason: str, detail: str) -> None:
        self.figures.refused(reason)
        await self.dead_letters.refuse(record, reason=reason, detail=detail)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
