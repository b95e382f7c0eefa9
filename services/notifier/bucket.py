"""How fast a channel may be sent to: a token bucket in the channel's row, shared by all notifiers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_WHOLE = 1 - 1e-6  # a token that took its time to the microsecond is a token


@dataclass(frozen=True, slots=True)
class Bucket:
    """`tokens` messages may leave at `at`; one more every `1 / per_minute` minutes, `burst` at most.

    `at` in the future means that nothing may leave before.
    """

    tokens: float
    at: datetime
    per_minute: int
    burst: int

    def filled(self, at: datetime) -> Bucket:
        """The bucket as it is at `at`; a clock that went back changes nothing."""
        passed = (at - self.at).total_seconds()
        if passed <= 0:
            return self
        tokens = min(self.tokens + passed * self.per_minute / 60, self.burst)
        return Bucket(tokens, at, self.per_minute, self.burst)

    def ready(self, at: datetime) -> bool:
        """True if a message may leave now."""
        return self.at <= at and self.filled(at).tokens >= _WHOLE

    def ready_at(self) -> datetime:
        """When the next message may leave."""
        lacking = max(1 - self.tokens, 0)
        return self.at + timedelta(minutes=lacking / self.per_minute)

    def less_one(self, at: datetime) -> Bucket:
        """After one message has left."""
        full = self.filled(at)
        return Bucket(max(full.tokens - 1, 0), full.at, self.per_minute, self.burst)

    def stopped(self, until: datetime) -> Bucket:
        """Nothing leaves before `until` (the receiver asked for a pause), and then one at first."""
        if until <= self.at:
            return self
        return Bucket(1, until, self.per_minute, self.burst)
