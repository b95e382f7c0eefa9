"""/quota: what the hosts of a workspace cost, and what its plan affords."""

from __future__ import annotations

from fastapi import APIRouter

from services.api.commands import quota as decide
from services.api.models.quota import IntervalUse, QuotaView
from services.api.openapi import BASE, problems
from services.api.reading import Viewing
from services.api.stores import plans as store
from vigilo.events.hosts import Interval

router = APIRouter(prefix=f"{BASE}/quota", tags=["quota"])


@router.get("", responses=problems())
async def get_quota(reading: Viewing) -> QuotaView:
    """Scans a day: used, and the most there may be. The operator sets the limit."""
    limit = await store.limit(reading.connection)
    hosts = await store.active_hosts(reading.connection)
    used = decide.used(hosts)
    remaining = None if limit is None else max(0, limit - used)
    return QuotaView(
        limit=limit,
        used=used,
        remaining=remaining,
        shortest_interval_that_fits=Interval.M5 if remaining is None else decide.shortest_that_fits(remaining),
        by_interval=[IntervalUse(interval=one, cost=decide.cost_of(one), hosts=hosts.get(one, 0)) for one in Interval],
    )
