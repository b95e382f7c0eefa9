"""/hosts: what is watched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.audit.change import Change
from services.api.auth import Caller
from services.api.commands import hosts as decide
from services.api.etags import check_version, etag
from services.api.idempotency import Answer
from services.api.models.hosts import HostListing, HostPatch, HostToAdd, HostView, ScanAsked
from services.api.models.snoozes import SnoozeToStart
from services.api.openapi import BASE, problems, with_etag
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.problems import Problem
from services.api.reading import Viewing
from services.api.stores import hosts as store
from services.api.stores import plans, rows
from services.api.writing import Writer, Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.hosts import Host
from vigilo.events.ids import command_scan_id, new_id

router = APIRouter(prefix=f"{BASE}/hosts", tags=["hosts"])

Decision = Callable[[Host, datetime], Host]


@router.post("", status_code=201, response_model=HostView, responses={**problems(409, 422), 201: with_etag("Added")})
async def add_host(body: HostToAdd, writing: Writing) -> Response:
    """Watch a host. Its first scan starts at once."""

    async def effect(connection: Connection) -> Answer:
        host = decide.add(body, workspace_id=writing.caller.workspace_id, host_id=new_id(), at=writing.at)
        decide.check(host, pools=await store.pools(connection), public=writing.resources.scan_egress)
        try:
            await store.add(connection, host)
        except store.TargetTaken as taken:
            raise _duplicate(writing.caller, taken) from taken
        await plans.afford(connection, None, host)
        await rows.publish(connection, host.workspace_id, [decide.record(host)])
        return _shown(writing.caller, host, status=201, changes=(decide.told("add", None, host),))

    return await writing.once(Permission.HOST_ADD, effect)


@router.get("", responses=problems(422))
async def list_hosts(
    request: Request, response: Response, listing: Annotated[HostListing, Query()], reading: Viewing
) -> Page[HostView]:
    """Hosts by name."""
    after = decode_cursor(listing.cursor, (str, int, UUID))
    wanted = store.HostFilter(listing.tag, listing.q, listing.status)
    found = await store.page(reading.connection, wanted, after=after, limit=listing.limit + 1)
    items = found[: listing.limit]
    following = encode_cursor(_sort_key(items[-1])) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=[_view(reading.caller, host) for host in items], next=following)


@router.get("/{host_id}", response_model=HostView, responses={**problems(404), 200: with_etag("The host")})
async def get_host(host_id: UUID, reading: Viewing) -> Response:
    """One host."""
    answer = _shown(reading.caller, await store.load(reading.connection, host_id))
    return Response(answer.body, headers=dict(answer.headers))


@router.patch(
    "/{host_id}", response_model=HostView, responses={**problems(404, 409, 412, 422), 200: with_etag("As it is now")}
)
async def edit_host(host_id: UUID, body: HostPatch, writing: Writing) -> Response:
    """Change a host. Another hostname, port or address starts a new baseline."""
    return await _change(
        writing, host_id, Permission.HOST_EDIT, "edit", lambda host, at: decide.edit(host, body, at=at)
    )


@router.delete("/{host_id}", status_code=204, responses=problems(404, 412))
async def delete_host(host_id: UUID, writing: Writing) -> Response:
    """Stop watching a host for good. Its history is kept as long as any history is."""

    async def effect(connection: Connection) -> Answer:
        host = await store.lock(connection, host_id)
        check_version(writing.if_match, host.version)
        deleted = decide.delete(host, at=writing.at)
        await _apply(connection, deleted)
        return Answer(204, changes=(decide.told("delete", host, deleted),))

    return await writing.once(Permission.HOST_DELETE, effect)


@router.post(
    "/{host_id}/pause", response_model=HostView, responses={**problems(404, 412), 200: with_etag("The paused host")}
)
async def pause_host(host_id: UUID, writing: Writing) -> Response:
    """Stop scanning for now; open alerts of the host are closed."""
    return await _change(writing, host_id, Permission.HOST_PAUSE, "pause", lambda host, at: decide.pause(host, at=at))


@router.post(
    "/{host_id}/resume",
    response_model=HostView,
    responses={**problems(404, 409, 412), 200: with_etag("The active host")},
)
async def resume_host(host_id: UUID, writing: Writing) -> Response:
    """Scan again, at once and then by its interval."""
    return await _change(writing, host_id, Permission.HOST_PAUSE, "resume", lambda host, at: decide.resume(host, at=at))


@router.post(
    "/{host_id}/snooze",
    response_model=HostView,
    responses={**problems(404, 412, 422), 200: with_etag("The snoozed host")},
)
async def snooze_host(host_id: UUID, body: SnoozeToStart, writing: Writing) -> Response:
    """Hold back the host's alerts for a while; it is scanned as before. Another snooze of the host is replaced."""
    by = writing.caller.name
    return await _change(
        writing, host_id, Permission.HOST_SNOOZE, "snooze", lambda host, at: decide.snooze(host, body, by=by, at=at)
    )


@router.delete(
    "/{host_id}/snooze", response_model=HostView, responses={**problems(404, 412), 200: with_etag("The host, awake")}
)
async def unsnooze_host(host_id: UUID, writing: Writing) -> Response:
    """End a snooze now; what is wrong then is told at once."""
    return await _change(
        writing, host_id, Permission.HOST_SNOOZE, "unsnooze", lambda host, at: decide.unsnooze(host, at=at)
    )


@router.post("/{host_id}/scan", status_code=202, response_model=ScanAsked, responses=problems(404, 409))
async def scan_host(host_id: UUID, writing: Writing) -> Response:
    """Scan now. The snapshot with the id `scan_id` follows within seconds."""

    async def effect(connection: Connection) -> Answer:
        host = await store.lock(connection, host_id)
        asked = decide.scan(host, command_id=new_id(), by=writing.caller.name, at=writing.at)
        await rows.publish(connection, host.workspace_id, [decide.command(asked)])
        scan_id = command_scan_id(asked.command_id)
        view = ScanAsked(command_id=asked.command_id, scan_id=scan_id, host_id=host_id)
        return answered(view, status=202, changes=(decide.told_scan(asked),))

    return await writing.once(Permission.HOST_SCAN, effect)


async def _change(writing: Writer, host_id: UUID, permission: Permission, verb: str, decision: Decision) -> Response:
    async def effect(connection: Connection) -> Answer:
        host = await store.lock(connection, host_id)
        check_version(writing.if_match, host.version)
        changed = decision(host, writing.at)
        if decide.retargeted(host, changed):
            decide.check(changed, pools=await store.pools(connection), public=writing.resources.scan_egress)
        if changed is host:
            return _shown(writing.caller, host)
        try:
            await _apply(connection, changed)
        except store.TargetTaken as taken:
            raise _duplicate(writing.caller, taken) from taken
        await plans.afford(connection, host, changed)
        return _shown(writing.caller, changed, changes=(decide.told(verb, host, changed),))

    return await writing.once(permission, effect)


async def _apply(connection: Connection, host: Host) -> None:
    await store.update(connection, host)
    await rows.publish(connection, host.workspace_id, [decide.record(host)])


def _view(caller: Caller, host: Host) -> HostView:
    return HostView(**dict(host), href=_url(caller, host.host_id))


def _shown(caller: Caller, host: Host, *, status: int = 200, changes: tuple[Change, ...] = ()) -> Answer:
    view = _view(caller, host)
    headers = {"ETag": etag(host.version), **({"Location": view.href} if status == 201 else {})}
    return answered(view, status=status, headers=headers, changes=changes)


def _sort_key(host: Host) -> tuple[str, int, UUID]:
    return host.hostname, host.port, host.host_id


def _url(caller: Caller, host_id: UUID) -> str:
    return f"/api/v1/workspaces/{caller.slug}/hosts/{host_id}"


def _duplicate(caller: Caller, taken: store.TargetTaken) -> Problem:
    members: dict[str, Any] = {}
    if taken.existing is not None:
        members = {"host_id": str(taken.existing), "url": _url(caller, taken.existing)}
    detail = "A host with this hostname, port, address, SNI, protocol and pool is watched already."
    return Problem(409, "host-exists", detail, **members)
