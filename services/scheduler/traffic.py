"""What one scheduler process knows of each pool at the moment: is its network in doubt, and how busy is its fast lane.

Kept in memory, by the clock passed in. A process that has just begun doubts nothing and has asked for nothing yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vigilo.events.scans import Lane, Outcome, Snapshot

RECHECKS_PER_SECOND = 5
# Without news of the pool for so long a recheck is let through: it brings them.
_DOUBT_LASTS = timedelta(minutes=5)
_NOT_SEEN_BY_A_SCANNER = frozenset({Outcome.NOT_PERFORMED, Outcome.DENIED})


@dataclass(slots=True)
class _Allowance:
    """A bucket that `RECHECKS_PER_SECOND` tokens fall into, and no more than that fit."""

    left: float
    at: datetime

    def take(self, at: datetime) -> bool:
        passed = max((at - self.at).total_seconds(), 0.0)
        self.left = min(self.left + passed * RECHECKS_PER_SECOND, float(RECHECKS_PER_SECOND))
        self.at = max(self.at, at)
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class Traffic:
    """By pool. Hosts are spread over partitions by chance, so each process hears of every pool."""

    _suspected_at: dict[str, datetime] = field(default_factory=dict)
    _allowances: dict[str, _Allowance] = field(default_factory=dict)

    def hear(self, snapshot: Snapshot, *, at: datetime) -> None:
        """The newest word of a scanner about its own network counts."""
        if snapshot.outcome in _NOT_SEEN_BY_A_SCANNER:
            return
        if snapshot.pool_suspect:
            self._suspected_at[snapshot.target.pool] = at
        else:
            self._suspected_at.pop(snapshot.target.pool, None)

    def is_suspect(self, pool: str, *, at: datetime) -> bool:
        """True while what that pool cannot reach may be well all the same."""
        since = self._suspected_at.get(pool)
        return since is not None and at - since < _DOUBT_LASTS

    def recheck_lane(self, pool: str, *, at: datetime) -> Lane:
        """The lane of one more recheck of that pool, and counts it: what people wait for must not queue behind them."""
        allowance = self._allowances.setdefault(pool, _Allowance(float(RECHECKS_PER_SECOND), at))
        return Lane.NOW if allowance.take(at) else Lane.SLOW
