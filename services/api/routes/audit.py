"""/audit: who changed what, when and from where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.api.audit.export import csv_header, csv_rows, ndjson
from services.api.models.audit import AuditEntryView, AuditExport, AuditListing, ExportFormat
from services.api.openapi import BASE, problems
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.reading import Reader, reading
from services.api.resources import resources
from services.api.stores import audit as store
from vigilo.adapters.postgres import Pool, tenant
from vigilo.events.records import AuditEntry

router = APIRouter(prefix=f"{BASE}/audit", tags=["audit"])

Watching = Annotated[Reader, Depends(reading(Permission.AUDIT_VIEW), scope="function")]
Exporting = Annotated[Reader, Depends(reading(Permission.AUDIT_EXPORT), scope="function")]

_AT_ONCE: Final = 500
_LARGEST: Final = 2**63 - 1
_MEDIA_TYPES: Final = {ExportFormat.NDJSON: "application/x-ndjson", ExportFormat.CSV: "text/csv"}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The entries, oldest first",
        "content": {kind: {"schema": {"type": "string"}} for kind in _MEDIA_TYPES.values()},
    }
}


@router.get("", responses=problems(422))
async def list_audit_entries(
    request: Request, response: Response, listing: Annotated[AuditListing, Query()], reading: Watching
) -> Page[AuditEntryView]:
    """Audit entries, the newest first."""
    key = decode_cursor(listing.cursor, (int,))
    before = min(max(key[0], 0), _LARGEST) if key else None
    found = await store.newest(reading.connection, listing, before=before, limit=listing.limit + 1)
    items = found[: listing.limit]
    names = await store.names(reading.connection, {entry.actor for entry in items})
    following = encode_cursor([items[-1].sequence]) if len(found) > listing.limit else None
    link_next(request, response, following)
    views = [AuditEntryView(**dict(entry), actor_name=names.get(entry.actor)) for entry in items]
    return Page(items=views, next=following)


@router.get("/export", response_class=Response, responses={**problems(422), **_FILES})
async def export_audit_entries(
    request: Request, wanted: Annotated[AuditExport, Query()], reading: Exporting
) -> StreamingResponse:
    """All entries that fit, oldest first, as a file. Entries written after the export began are not in it."""
    caller = reading.caller
    head = await store.head(reading.connection)
    pages = _pages(resources(request).pool, reading, wanted, until=head.sequence if head else 0)
    name = f"audit-{caller.slug}.{wanted.format.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_written(pages, wanted.format), media_type=_MEDIA_TYPES[wanted.format], headers=headers)


async def _pages(pool: Pool, reading: Reader, wanted: AuditExport, *, until: int) -> AsyncIterator[list[AuditEntry]]:
    # A connection for each page and none between them: a slow reader holds nothing.
    after = 0
    while True:
        async with pool.connection() as connection, tenant(connection, reading.caller.workspace_id, read_only=True):
            found = await store.oldest(connection, wanted, after=after, limit=_AT_ONCE)
        yield [entry for entry in found if entry.sequence <= until]
        if len(found) < _AT_ONCE or found[-1].sequence >= until:
            return
        after = found[-1].sequence


async def _written(pages: AsyncIterator[list[AuditEntry]], how: ExportFormat) -> AsyncIterator[bytes]:
    if how is ExportFormat.CSV:
        yield csv_header()
    async for page in pages:
        yield csv_rows(page) if how is ExportFormat.CSV else ndjson(page)
