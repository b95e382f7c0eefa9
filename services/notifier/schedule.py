"""When to try again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

# The Standard Webhooks schedule with 15 s and 1 min added: most receivers that restart are back within a minute.
WEBHOOK_DELAYS = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# Services people watch are asked soon and often, then every ten minutes until a day is over.
PATIENT_DELAYS = (
    timedelta(seconds=2),
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=2),
    timedelta(minutes=5),
    *(timedelta(minutes=10),) * 143,
)
RETRY_AFTER_MAX = timedelta(hours=24)
_JITTER = 0.1


def delay_after(
    attempt: int,
    *,
    delivery_id: UUID,
    retry_after: timedelta | None = None,
    delays: Sequence[timedelta] = WEBHOOK_DELAYS,
) -> timedelta | None:
    """How long to wait after the failed `attempt` (counted from 1); None when it was the last.

    Up to a tenth is added, derived from the delivery, so that a thousand deliveries do not return in one second. A
    receiver's Retry-After can only lengthen the wait, by a day at most.
    """
    if attempt > len(delays):
        return None
    planned = delays[attempt - 1]
    spread = planned * (_JITTER * ((delivery_id.int + attempt) % 997) / 997)
    return max(planned + spread, min(retry_after or timedelta(), RETRY_AFTER_MAX))
