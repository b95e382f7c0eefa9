"""What a stream service says about itself, for /healthz, /readyz and /metrics. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """One input partition (logical topic). Offsets are "next"; None = not known yet.

    `idle` = nothing left to read; `still_for_s` = seconds since the last processed record or the assignment.
    """

    topic: str
    partition: int
    processed: int | None
    committed: int | None
    end: int | None
    still_for_s: float

    @property
    def lag(self) -> int:
        """Records not yet processed."""
        return max(0, (self.end or 0) - (self.processed or 0))

    @property
    def idle(self) -> bool:
        """True if there is nothing to do."""
        return self.lag == 0


@dataclass(frozen=True, slots=True)
class BroadcastStatus:
    """One broadcast topic."""

    topic: str
    version: int
    lag: int
    caught_up: bool
    records: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Everything at one instant. `unhealthy` and `not_ready` are reasons in words, empty when all is well."""

    service: str
    phase: str
    assigned: frozenset[int]
    recovered: frozenset[int]
    partitions: tuple[PartitionStatus, ...]
    broadcasts: tuple[BroadcastStatus, ...]
    rows: Mapping[str, int]
    timers: int
    events_processed: int
    batches: int
    dead_letters: int
    false_gaps: int
    heartbeat_age_s: float | None
    clock_skew_s: float | None
    unhealthy: tuple[str, ...]
    not_ready: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """False = restart it (/healthz)."""
        return not self.unhealthy

    @property
    def ready(self) -> bool:
        """False = not at work yet, or not able to be (/readyz)."""
        return not self.not_ready and not self.unhealthy
