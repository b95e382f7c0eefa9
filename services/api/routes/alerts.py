"""/alerts: what is, or was, wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.auth import Caller
from services.api.commands import hosts as decide
from services.api.idempotency import Answer
from services.api.models.observed import (
    AcknowledgeAsked,
    Acknowledgement,
    AlertDetail,
    AlertListing,
    AlertState,
    AlertView,
    RuleRef,
)
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.permissions import Permission
from services.api.problems import Problem, not_found
from services.api.queries import alerts as query
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing
from services.api.routes.references import host_of
from services.api.stores import audit as people
from services.api.stores import hosts as host_store
from services.api.stores import rows
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host
from vigilo.events.ids import new_id

router = APIRouter(prefix=f"{BASE}/alerts", tags=["alerts"])


@router.get("", responses=problems(422))
async def list_alerts(
    request: Request, response: Response, listing: Annotated[AlertListing, Query()], reading: Viewing
) -> Page[AlertView]:
    """Alerts, the newest opened first."""
    severity = listing.severity.value if listing.severity else None
    wanted = query.AlertFilter([one.value for one in listing.state], severity, listing.host, listing.rule)
    found = await query.page(reading.connection, wanted, after=place_of(listing.cursor), limit=listing.limit + 1)
    items, following = page_of(found, listing.limit, lambda row: Place(row["opened_at"], row["alert_id"]))
    link_next(request, response, following)
    shown = await _fields(reading.connection, reading.caller, items)
    return Page(items=[AlertView(**one) for one in shown], next=following)


@router.get("/{alert_id}", responses=problems(404))
async def get_alert(alert_id: UUID, reading: Viewing) -> AlertDetail:
    """One alert and its whole course."""
    row = await query.one(reading.connection, alert_id)
    if row is None:
        raise not_found("alert")
    course = await query.transitions(reading.connection, alert_id, row["host_id"])
    (shown,) = await _fields(reading.connection, reading.caller, [row])
    return AlertDetail(**shown, transitions=[one["event"] for one in course])


@router.post(
    "/{alert_id}/acknowledge", status_code=202, response_model=AcknowledgeAsked, responses=problems(404, 409, 422)
)
async def acknowledge_alert(alert_id: UUID, body: Acknowledgement, writing: Writing) -> Response:
    """Say that somebody looks after it: no more reminders, and PagerDuty is told."""

    async def effect(connection: Connection) -> Answer:
        row = await query.one(connection, alert_id)
        if row is None:
            raise not_found("alert")
        host = await _host_of(connection, row["host_id"])
        asked = decide.acknowledge(
            host,
            alert_id,
            AlertState(row["state"]),
            body.note,
            command_id=new_id(),
            by=writing.caller.name,
            at=writing.at,
        )
        await rows.publish(connection, asked.workspace_id, [decide.command(asked)])
        view = AcknowledgeAsked(command_id=asked.command_id, alert_id=alert_id)
        return answered(view, status=202, changes=(decide.told_acknowledgement(asked),))

    return await writing.once(Permission.ALERT_ACKNOWLEDGE, effect)


async def _host_of(connection: Connection, host_id: UUID) -> Host:
    try:
        return await host_store.lock(connection, host_id)
    except Problem:
        raise Problem(409, "alert-closed", "The host of this alert was deleted; the alert is closed.") from None


async def _fields(connection: Connection, caller: Caller, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    seen = [row["acknowledged"] for row in found if row["acknowledged"]]
    names = await people.names(connection, {one["by"] for one in seen if one["by"]})
    return [
        {
            **row,
            "acknowledged": row["acknowledged"] and _with_name(row["acknowledged"], names),
            "host": host_of(row, row["host_id"]),
            "rule": RuleRef(rule_id=row["rule_id"], name=row["rule_name"]),
            "url": f"/api/v1/workspaces/{caller.slug}/alerts/{row['alert_id']}",
        }
        for row in found
    ]


def _with_name(seen: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {**seen, "by_name": names.get(seen["by"])}
