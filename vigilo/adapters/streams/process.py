"""A stream service as a process: settings, logs, health and metrics around a StreamService."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel

from vigilo.adapters.health import Checks, HealthServer
from vigilo.adapters.logs import configure
from vigilo.adapters.metrics import Metrics
from vigilo.adapters.settings import Settings
from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.adapters.streams.service import StreamService
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.status import PartitionStatus, StreamStatus
from vigilo.ports.processing import Processor

S = TypeVar("S", bound=BaseModel)


def run_processor(
    processor: Processor[S],
    settings: Settings,
    *,
    output_topics: Sequence[str],
    broadcasts: Sequence[BroadcastReader] = (),
    on_ready: Callable[[StreamService[S]], Awaitable[None]] | None = None,
) -> None:
    """Runs the processor until SIGTERM; `/healthz`, `/readyz` and `/metrics` answer from the first moment.

    Blocks. A broken invariant ends the process with code 70; restarting it is always right.
    """
    configure(processor.service, settings.log_level)
    metrics = Metrics(processor.service)

    async def start_health(service: StreamService[S]) -> None:
        metrics.registry.register(StreamCollector(service.status))
        checks = Checks(alive={"stream": lambda: _alive(service)}, ready={"stream": lambda: _ready(service)})
        await HealthServer(settings.health_port, checks, metrics, host=settings.health_host).start()

    StreamService(
        processor,
        StreamSettings.of(settings.kafka),
        broadcasts=broadcasts,
        on_ready=on_ready,
        start_health=start_health,
        output_topics=output_topics,
    ).run()


def _alive(service: StreamService[S]) -> tuple[bool, Mapping[str, object]]:
    status = service.status()
    return status.healthy, {"phase": status.phase, "reasons": list(status.unhealthy)}


def _ready(service: StreamService[S]) -> tuple[bool, Mapping[str, object]]:
    status = service.status()
    reasons = [*status.unhealthy, *status.not_ready]
    return status.ready, {"phase": status.phase, "partitions": sorted(status.recovered), "reasons": reasons}


class StreamCollector(Collector):
    """A stream service's own figures, read when they are asked for."""

    def __init__(self, status: Callable[[], StreamStatus]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the partitions are not known yet."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Positions and lag per partition, rows per table, and what the invariants watch."""
        status = self._status()
        yield _per_partition(status, "vigilo_stream_processed_offset", "Next offset to process.", lambda p: p.processed)
        yield _per_partition(status, "vigilo_stream_committed_offset", "Next offset committed.", lambda p: p.committed)
        yield _per_partition(status, "vigilo_stream_lag", "Records not yet processed.", lambda p: p.lag)
        yield _labelled("vigilo_stream_rows", "Rows held, per table.", "table", status.rows)
        lags = {broadcast.topic: broadcast.lag for broadcast in status.broadcasts}
        yield _labelled("vigilo_stream_broadcast_lag", "Configuration records not yet read.", "topic", lags)
        yield GaugeMetricFamily("vigilo_stream_assigned_partitions", "Partitions assigned.", len(status.assigned))
        yield GaugeMetricFamily("vigilo_stream_recovered_partitions", "Partitions recovered.", len(status.recovered))
        yield GaugeMetricFamily("vigilo_stream_timers", "Timers waiting.", status.timers)
        yield CounterMetricFamily("vigilo_stream_events", "Inputs applied or skipped.", value=status.events_processed)
        yield CounterMetricFamily("vigilo_stream_batches", "Batches those inputs came in.", value=status.batches)
        yield CounterMetricFamily("vigilo_stream_dead_letters", "Inputs refused.", value=status.dead_letters)
        if status.clock_skew_s is not None:
            skew = "Own clock minus the broker's append time."
            yield GaugeMetricFamily("vigilo_stream_clock_skew_seconds", skew, status.clock_skew_s)


def _per_partition(
    status: StreamStatus, name: str, documentation: str, figure: Callable[[PartitionStatus], int | None]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=["topic", "partition"])
    for one in status.partitions:
        value = figure(one)
        if value is not None:
            family.add_metric([one.topic, str(one.partition)], value)
    return family


def _labelled(name: str, documentation: str, label: str, figures: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for value, figure in figures.items():
        family.add_metric([value], figure)
    return family
