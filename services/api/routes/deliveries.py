"""/deliveries: what became of messages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.commands import channels as decide
from services.api.idempotency import Answer
from services.api.models.observed import DeliveryListing, DeliveryView, Redelivery, RedeliveryAsked
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.permissions import Permission
from services.api.problems import not_found
from services.api.queries import deliveries as query
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing
from services.api.stores import channels as channel_store
from services.api.stores import rows
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.deliveries import DeliveryCommand
from vigilo.events.ids import new_id

router = APIRouter(prefix=BASE, tags=["deliveries"])


@router.get("/deliveries", responses=problems(422))
async def list_deliveries(
    request: Request, response: Response, listing: Annotated[DeliveryListing, Query()], reading: Viewing
) -> Page[DeliveryView]:
    """Deliveries, the last touched first."""
    statuses = [one.value for one in listing.status]
    wanted = query.DeliveryFilter(listing.alert, listing.channel, statuses, listing.since, listing.until)
    rows = await query.page(reading.connection, wanted, after=place_of(listing.cursor), limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["at"], row["delivery_id"]))
    link_next(request, response, following)
    return Page(items=[DeliveryView.model_validate(row) for row in items], next=following)


@router.get("/deliveries/{delivery_id}", responses=problems(404))
async def get_delivery(delivery_id: UUID, reading: Viewing) -> DeliveryView:
    """One delivery."""
    row = await query.one(reading.connection, delivery_id)
    if row is None:
        raise not_found("delivery")
    return DeliveryView.model_validate(row)


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=RedeliveryAsked,
    responses=problems(404, 409),
)
async def redeliver_one(delivery_id: UUID, writing: Writing) -> Response:
    """Send a message again, with its old id: receivers that know it already may leave it."""

    async def effect(connection: Connection) -> Answer:
        row = await query.one(connection, delivery_id)
        if row is None:
            raise not_found("delivery")
        channel = await channel_store.lock(connection, row["channel_id"])
        asked = decide.redeliver_one(channel, delivery_id, command_id=new_id(), by=writing.caller.name, at=writing.at)
        return await _ask(connection, asked)

    return await writing.once(Permission.DELIVERY_REDELIVER, effect)


@router.post(
    "/channels/{channel_id}/redeliver",
    status_code=202,
    response_model=RedeliveryAsked,
    responses=problems(404, 409, 422),
)
async def redeliver_span(channel_id: UUID, body: Redelivery, writing: Writing) -> Response:
    """Send a channel's messages of a span of time again, those that failed unless told otherwise."""

    async def effect(connection: Connection) -> Answer:
        channel = await channel_store.lock(connection, channel_id)
        asked = decide.redeliver(channel, body, command_id=new_id(), by=writing.caller.name, at=writing.at)
        return await _ask(connection, asked)

    return await writing.once(Permission.DELIVERY_REDELIVER, effect)


async def _ask(connection: Connection, asked: DeliveryCommand) -> Answer:
    await rows.publish(connection, asked.workspace_id, [decide.command(asked)])
    view = RedeliveryAsked.model_validate(asked, from_attributes=True)
    return answered(view, status=202, changes=(decide.told_redelivery(asked),))
