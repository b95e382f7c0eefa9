"""/hosts/{id}/report-card, grades, changes, timeline: what was made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.models.observed import (
    ChangeListing,
    ChangeView,
    GradeChange,
    GradeDay,
    GradeHistory,
    HistoryListing,
    ReportCardView,
    TimelineEntry,
)
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.problems import not_found
from services.api.queries import cards as query
from services.api.queries.hosts import ensure_known
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing
from services.api.routes.references import host_of
from vigilo.events.cards import Grade

router = APIRouter(prefix=f"{BASE}/hosts/{{host_id}}", tags=["history"])

_GRADES = tuple(Grade)
_CHANGES_MOST = 500


@router.get("/report-card", responses=problems(404))
async def report_card(host_id: UUID, reading: Viewing) -> ReportCardView:
    """The newest report card of a host."""
    await ensure_known(reading.connection, host_id)
    row = await query.latest(reading.connection, host_id)
    if row is None:
        raise not_found("report card")
    return ReportCardView(**row["event"], host=host_of(row, host_id))


@router.get("/grades", responses=problems(404, 422))
async def grades(
    host_id: UUID,
    reading: Viewing,
    days: Annotated[int, Query(ge=1, le=400, description="How far back, today included (UTC)")] = 30,
) -> GradeHistory:
    """How the letter of a host went."""
    await ensure_known(reading.connection, host_id)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    found = await query.days(reading.connection, host_id, since=since)
    changed = await query.grade_changes(reading.connection, host_id, since=since, limit=_CHANGES_MOST)
    return GradeHistory(
        host_id=host_id,
        since=since,
        days=[_day(row) for row in found],
        changes=[GradeChange.model_validate(row) for row in changed],
    )


@router.get("/changes", responses=problems(404, 422))
async def changes(
    host_id: UUID,
    request: Request,
    response: Response,
    listing: Annotated[ChangeListing, Query()],
    reading: Viewing,
) -> Page[ChangeView]:
    """When a host began to serve another certificate, or others above it, newest first."""
    place = place_of(listing.cursor)
    await ensure_known(reading.connection, host_id)
    which = query.Changes(kind=listing.kind, unexpected=listing.unexpected)
    rows = await query.changes(reading.connection, host_id, which, after=place, limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["requested_at"], row["scan_id"]))
    link_next(request, response, following)
    return Page(items=[ChangeView(**row["event"]) for row in items], next=following)


@router.get("/timeline", responses=problems(404, 422))
async def timeline(
    host_id: UUID,
    request: Request,
    response: Response,
    listing: Annotated[HistoryListing, Query()],
    reading: Viewing,
) -> Page[TimelineEntry]:
    """Alerts, new certificates and work items of a host in one list, newest first."""
    place = place_of(listing.cursor)
    await ensure_known(reading.connection, host_id)
    rows = await query.timeline(reading.connection, host_id, after=place, limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["at"], row["id"]))
    link_next(request, response, following)
    return Page(items=[TimelineEntry.model_validate(row) for row in items], next=following)


def _day(row: dict[str, Any]) -> GradeDay:
    best, worst = row.pop("best_rank"), row.pop("worst_rank")
    return GradeDay(
        **row, best=None if best is None else _GRADES[best], worst=None if worst is None else _GRADES[worst]
    )
