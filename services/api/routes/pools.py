"""/pools: which scanners the hosts of a workspace may be looked at by."""

from __future__ import annotations

from fastapi import APIRouter

from services.api.models.pools import PoolsView, PoolView
from services.api.openapi import BASE, problems
from services.api.reading import Viewing
from services.api.stores import pools as store

router = APIRouter(prefix=f"{BASE}/pools", tags=["pools"])


@router.get("", responses=problems())
async def list_pools(reading: Viewing) -> PoolsView:
    """What a host's `pool` may be: public first, then by name. The operator sets them (`vigilo pool`)."""
    found = await store.hosts_by_pool(reading.connection)
    return PoolsView(items=[PoolView(name=name, hosts=hosts) for name, hosts in found.items()])
