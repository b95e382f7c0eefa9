"""/alerts: what is, or was, wrong."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.auth import Caller
from services.api.models.observed import AlertDetail, AlertListing, AlertView, RuleRef
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.problems import not_found
from services.api.queries import alerts as query
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing
from services.api.routes.references import host_of

router = APIRouter(prefix=f"{BASE}/alerts", tags=["alerts"])


@router.get("", responses=problems(422))
async def list_alerts(
    request: Request, response: Response, listing: Annotated[AlertListing, Query()], reading: Viewing
) -> Page[AlertView]:
    """Alerts, the newest opened first."""
    severity = listing.severity.value if listing.severity else None
    wanted = query.AlertFilter([one.value for one in listing.state], severity, listing.host, listing.rule)
    rows = await query.page(reading.connection, wanted, after=place_of(listing.cursor), limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["opened_at"], row["alert_id"]))
    link_next(request, response, following)
    return Page(items=[AlertView(**_fields(reading.caller, row)) for row in items], next=following)


@router.get("/{alert_id}", responses=problems(404))
async def get_alert(alert_id: UUID, reading: Viewing) -> AlertDetail:
    """One alert and its whole course."""
    row = await query.one(reading.connection, alert_id)
    if row is None:
        raise not_found("alert")
    course = await query.transitions(reading.connection, alert_id, row["host_id"])
    return AlertDetail(**_fields(reading.caller, row), transitions=[one["event"] for one in course])


def _fields(caller: Caller, row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "host": host_of(row, row["host_id"]),
        "rule": RuleRef(rule_id=row["rule_id"], name=row["rule_name"]),
        "url": f"/api/v1/workspaces/{caller.slug}/alerts/{row['alert_id']}",
    }
