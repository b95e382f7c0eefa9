"""Puts together a stream service's status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from faust.exceptions import ConsumerNotStarted
from faust.types import TP

from vigilo.adapters.streams.status import BroadcastStatus, PartitionStatus, StreamStatus

if TYPE_CHECKING:
    from vigilo.adapters.streams.service import StreamService


class Reporter:
    """Reads a service; changes nothing."""

    def __init__(self, service: StreamService[Any]) -> None:
        self._service = service

    def status(self) -> StreamStatus:
        """The status now."""
        service = self._service
        partitions = tuple(self._partitions())
        loop = service.loop
        return StreamStatus(
            service=service.processor.service,
            phase=service.phase,
            assigned=service.assigned,
            recovered=service.recovered,
            partitions=partitions,
            broadcasts=tuple(
                BroadcastStatus(one.topic, one.version, one.lag, one.caught_up, len(one.records))
                for one in service.broadcasts
            ),
            rows=self._rows(),
            timers=len(service.timers),
            events_processed=0 if loop is None else loop.processed,
            batches=0 if loop is None else loop.batches,
            dead_letters=0 if loop is None else loop.refused,
            false_gaps=0 if service.app is None else getattr(service.app.consumer, "gaps", 0),
            heartbeat_age_s=service.ownership.age_s,
            clock_skew_s=service.outlet.clock_skew_s,
            unhealthy=tuple(self._unhealthy(partitions)),
            not_ready=tuple(self._not_ready()),
        )

    def _partitions(self) -> Iterator[PartitionStatus]:
        service, now = self._service, time.monotonic()
        for (topic, number), position in sorted(service.positions.items()):
            yield PartitionStatus(
                topic=service.settings.logical(topic),
                partition=number,
                processed=position.next,
                committed=position.committed,
                end=self._end(topic, number),
                still_for_s=now - position.moved_at,
            )

    def _end(self, topic: str, number: int) -> int | None:
        assert self._service.app is not None
        try:
            end: int | None = self._service.app.consumer.highwater(TP(topic, number))
        except ConsumerNotStarted:
            return None
        return end

    def _rows(self) -> dict[str, int]:
        loop = self._service.loop
        if loop is None:
            return {}
        tables = {self._service.processor.table: loop.guard, **loop.sides}
        return {name: table.rows.row_count() for name, table in tables.items()}

    def _unhealthy(self, partitions: tuple[PartitionStatus, ...]) -> Iterator[str]:
        limit = self._service.settings.stall_after_s
        missing = None if self._service.loop is None else self._service.loop.missing_topic
        if self._service.phase == "running" and missing is None:
            for one in partitions:
                if not one.idle and one.still_for_s > limit:
                    yield f"{one.topic}/{one.partition} has lag {one.lag} and has not moved for {one.still_for_s:.0f} s"

    def _not_ready(self) -> Iterator[str]:
        service = self._service
        if service.phase != "running":
            yield service.phase
        elif service.recovered != service.assigned:
            yield "partitions are being recovered"
        skew = service.outlet.clock_skew_s
        if skew is not None and abs(skew) > service.settings.max_clock_skew_s:
            yield f"this clock is {skew:+.0f} s from Kafka's"
        if service.loop is not None and service.loop.missing_topic is not None:
            yield f"topic {service.loop.missing_topic} is missing"
