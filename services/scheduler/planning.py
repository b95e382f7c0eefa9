"""When a host is due: slots by the clock and a phase of the host's own. Pure.

Slot n of a host begins at phase + n * interval since the Unix epoch, so slots need no memory: after an outage the
newest one is known at once, and hosts of one interval are spread evenly over it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from vigilo.events.hosts import Interval
from vigilo.events.scans import Lane

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Readers of other languages keep milliseconds; two scans of a host must differ for them too.
_TICK = timedelta(milliseconds=1)
_SLOW_VALIDITY_MAX = timedelta(minutes=15)
# Full scans of many new hosts at once take longer than their light ones.
_UNAWAITED = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take; the defaults are the product's.

    `fast_validity`: a request on the fast lane is worth nothing after it. `grace`: so long after `not_after` nobody can
    still be at work (a scan's own deadline is 60 s, and a full one needs 34 s). `retry_after`: from `not-performed`
    to the next attempt. `command_spacing`: between two scans of one host that people ask for. `recheck_spacing`:
    between a transition that must be confirmed and the first recheck, and between rechecks.
    """

    fast_validity: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=90)
    retry_after: timedelta = timedelta(minutes=5)
    command_spacing: timedelta = timedelta(seconds=10)
    recheck_spacing: timedelta = timedelta(seconds=30)


def phase(host_id: UUID, interval: Interval) -> timedelta:
    """The host's place within the interval, 0 <= phase < interval, the same for ever."""
    digest = hashlib.blake2b(host_id.bytes, digest_size=8).digest()
    microseconds = interval.length // timedelta(microseconds=1)
    return timedelta(microseconds=microseconds * int.from_bytes(digest, "big") // 2**64)


def slot_at(host_id: UUID, interval: Interval, at: datetime) -> int:
    """The number of the newest slot that has begun."""
    return (at - _EPOCH - phase(host_id, interval)) // interval.length


def slot_start(host_id: UUID, interval: Interval, slot: int) -> datetime:
    """The instant a slot begins; it is the scan's nominal time."""
    return _EPOCH + phase(host_id, interval) + slot * interval.length


def not_after(lane: Lane, interval: Interval, *, at: datetime, timing: Timing, awaited: bool = True) -> datetime:
    """Until when a request made `at` is worth performing: a backlog is then cleared at the speed of reading it.

    `awaited` False marks what is on the fast lane though no person waits for it.
    """
    if lane is Lane.NOW:
        return at + timing.fast_validity * (1 if awaited else _UNAWAITED)
    return at + min(interval.length / 4, _SLOW_VALIDITY_MAX)


def requested_at(nominal: datetime, *, last: datetime | None, at: datetime) -> datetime:
    """The scan's place in the host's order: its nominal time, never in the future, always after the `last` one."""
    stamp = min(nominal, at)
    return stamp if last is None or stamp > last else last + _TICK
