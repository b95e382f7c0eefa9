"""What hosts cost, and whether a plan affords it. Pure.

The cost of a host is the number of scans its interval asks for in a day; a paused host costs nothing. Rechecks and
"scan now" are not counted. A change that costs no more than before is never refused, however full the plan is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from services.api.problems import Problem
from vigilo.events.hosts import Host, HostStatus, Interval

DAY: Final = timedelta(days=1)


def cost_of(interval: Interval) -> int:
    """Scans a day."""
    return DAY // interval.length


def cost(host: Host | None) -> int:
    """Scans a day; 0 for a host that is paused, deleted or not there."""
    return cost_of(host.interval) if host is not None and host.status is HostStatus.ACTIVE else 0


def used(hosts: Mapping[Interval, int]) -> int:
    """Scans a day of so many active hosts by interval."""
    return sum(cost_of(interval) * count for interval, count in hosts.items())


def shortest_that_fits(remaining: int) -> Interval | None:
    """The shortest interval a host may have with so many scans a day left; None if not even the longest fits."""
    return next((one for one in sorted(Interval, key=lambda one: one.length) if cost_of(one) <= remaining), None)


def afford(before: Host | None, after: Host, *, limit: int, others: int) -> None:
    """Raises a 409 problem if the plan does not afford the host as it would be. `others`: what all other hosts use."""
    if cost(after) <= cost(before) or others + cost(after) <= limit:
        return
    remaining = max(0, limit - others)
    fits = shortest_that_fits(remaining)
    raise Problem(
        409,
        "quota-exceeded",
        f"{_sentence(after, limit, others, remaining)} {_advice(fits)}",
        cost=cost(after),
        limit=limit,
        used=others + cost(before),
        remaining=remaining,
        shortest_interval_that_fits=None if fits is None else fits.value,
        intervals_that_fit=[one.value for one in Interval if cost_of(one) <= remaining],
    )


def _sentence(host: Host, limit: int, others: int, remaining: int) -> str:
    return (
        f"Scanned every {host.interval.value}, this host costs {cost(host)} scans a day; of the {limit} of this "
        f"workspace the other hosts use {others}, so {remaining} are left."
    )


def _advice(fits: Interval | None) -> str:
    if fits is None:
        return "No interval fits: pause, slow down or delete another host first."
    return f"The shortest interval that fits is {fits.value}."
