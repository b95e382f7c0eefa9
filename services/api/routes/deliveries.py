"""/deliveries: what became of messages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.models.observed import DeliveryListing, DeliveryView
from services.api.openapi import BASE, problems
from services.api.pagination import Page, link_next
from services.api.problems import not_found
from services.api.queries import deliveries as query
from services.api.queries.places import Place, page_of, place_of
from services.api.reading import Viewing

router = APIRouter(prefix=f"{BASE}/deliveries", tags=["deliveries"])


@router.get("", responses=problems(422))
async def list_deliveries(
    request: Request, response: Response, listing: Annotated[DeliveryListing, Query()], reading: Viewing
) -> Page[DeliveryView]:
    """Deliveries, the last touched first."""
    status = listing.status.value if listing.status else None
    wanted = query.DeliveryFilter(listing.alert, listing.channel, status)
    rows = await query.page(reading.connection, wanted, after=place_of(listing.cursor), limit=listing.limit + 1)
    items, following = page_of(rows, listing.limit, lambda row: Place(row["at"], row["delivery_id"]))
    link_next(request, response, following)
    return Page(items=[DeliveryView.model_validate(row) for row in items], next=following)


@router.get("/{delivery_id}", responses=problems(404))
async def get_delivery(delivery_id: UUID, reading: Viewing) -> DeliveryView:
    """One delivery."""
    row = await query.one(reading.connection, delivery_id)
    if row is None:
        raise not_found("delivery")
    return DeliveryView.model_validate(row)
