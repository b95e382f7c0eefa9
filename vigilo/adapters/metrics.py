"""One Prometheus registry per process, with the naming rules built in.

Names are `vigilo_<what>_<base unit>` (seconds, bytes, ratio, or nothing for plain counts); counters get `_total`.
Source: Prometheus documentation, "Metric and label naming".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

EXPOSITION_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# From one broker round trip to the longest a scan may take.
LATENCY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_NAME = re.compile(r"vigilo_[a-z][a-z0-9_]*[a-z0-9]")
_NOT_BASE = re.compile(r"_(ms|millis|milliseconds|us|micros|ns|minutes|hours|days|kb|kib|mb|mib|gb|percent)(_|$)")


class BadMetricName(Exception):
    """A metric's name breaks the rules above: a bug of ours, found by the first test that makes it."""


class Metrics:
    """The registry of one process; every metric of it is made here, once, by the code that counts.

    Holds the process's own figures (`process_*`: CPU, memory, file descriptors, start time) and
    `vigilo_build_info{service, version}` from the start.
    """

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Gauge(
            "vigilo_build_info",
            "Which service and version this is; always 1.",
            ["service", "version"],
            registry=self.registry,
        )
        build.labels(service, _version()).set(1)

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
        """A count that only grows; `_total` is added to its name."""
        return Counter(_checked(name), documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
        """A figure that goes up and down."""
        return Gauge(_checked(name), documentation, labels, registry=self.registry)

    def histogram(
        self, name: str, documentation: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = LATENCY_SECONDS
    ) -> Histogram:
        """A distribution; buckets are upper bounds in the name's unit, by default 5 ms to 60 s."""
        return Histogram(_checked(name), documentation, labels, registry=self.registry, buckets=buckets)

    def exposition(self) -> bytes:
        """Everything as Prometheus text (`EXPOSITION_TYPE`); label values are escaped."""
        return generate_latest(self.registry)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadMetricName(f"{name!r} does not begin with vigilo_ or has characters other than a-z, 0-9 and _")
    if _NOT_BASE.search(name):
        raise BadMetricName(f"{name!r} is not in a base unit: use seconds, bytes or a ratio")
    if name.endswith("_total"):
        raise BadMetricName(f"{name!r}: _total is added to counters by itself")
    return name


def _version() -> str:
    try:
        return version("vigilo")
    except PackageNotFoundError:
        return "unknown"
