"""/snapshots and /hosts/{id}/snapshots: what was seen."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.auth import Caller
from services.api.models.observed import SnapshotListing, SnapshotSummary, SnapshotView
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.problems import not_found
from services.api.queries import snapshots as query
from services.api.queries.hosts import ensure_known
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing
from services.api.routes.references import host_of

router = APIRouter(prefix=BASE, tags=["snapshots"])


@router.get("/hosts/{host_id}/snapshots", responses=problems(404, 422))
async def list_snapshots(
    host_id: UUID,
    request: Request,
    response: Response,
    listing: Annotated[SnapshotListing, Query()],
    reading: Viewing,
) -> Page[SnapshotSummary]:
    """Scans of a host, newest first."""
    place = place_of(listing.cursor)
    await ensure_known(reading.connection, host_id)
    outcome = listing.outcome.value if listing.outcome else None
    rows = await query.page(reading.connection, host_id, outcome=outcome, after=place, limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["requested_at"], row["scan_id"]))
    link_next(request, response, following)
    shown = [SnapshotSummary(**row, url=_url(reading.caller, row["scan_id"])) for row in items]
    return Page(items=shown, next=following)


@router.get("/hosts/{host_id}/snapshots/latest", responses=problems(404))
async def latest_snapshot(host_id: UUID, reading: Viewing) -> SnapshotView:
    """The newest scan of a host, whole."""
    await ensure_known(reading.connection, host_id)
    return _view(reading.caller, await query.latest(reading.connection, host_id))


@router.get("/snapshots/{scan_id}", responses=problems(404))
async def get_snapshot(scan_id: UUID, reading: Viewing) -> SnapshotView:
    """One scan, whole."""
    return _view(reading.caller, await query.one(reading.connection, scan_id))


def _view(caller: Caller, row: dict[str, Any] | None) -> SnapshotView:
    if row is None:
        raise not_found("snapshot")
    event = row["event"]
    host = host_of(row, event["target"]["host_id"])
    return SnapshotView(**event, host=host, grade=row["grade"], url=_url(caller, event["scan_id"]))


def _url(caller: Caller, scan_id: object) -> str:
    return f"/api/v1/workspaces/{caller.slug}/snapshots/{scan_id}"
