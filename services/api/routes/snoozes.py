"""/snoozes and /rules/{id}/snooze: when alerts of a rule, or of hosts with a tag, are held back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.auth import Caller
from services.api.commands import snoozes as decide
from services.api.etags import check_version, etag
from services.api.idempotency import Answer
from services.api.models.snoozes import SnoozeListing, SnoozeToAdd, SnoozeToStart, SnoozeView
from services.api.openapi import BASE, problems, with_etag
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.problems import Problem, invalid
from services.api.reading import Viewing
from services.api.stores import audit as people
from services.api.stores import rules as rule_store
from services.api.stores import snoozes as store
from services.api.writing import Writer, Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id
from vigilo.events.rules import Snooze

router = APIRouter(prefix=BASE, tags=["snoozes"])

_ADDED = {**problems(404, 409, 422), 201: with_etag("The snooze")}


@router.post("/snoozes", status_code=201, response_model=SnoozeView, responses=_ADDED)
async def add_snooze(body: SnoozeToAdd, writing: Writing) -> Response:
    """Hold back alerts of a rule, or of all hosts with a tag. What runs now is replaced by a snooze that begins now."""

    async def effect(connection: Connection) -> Answer:
        if body.rule_id is not None:
            await _known_rule(connection, body.rule_id)
        return await _start(connection, writing, body, rule_id=body.rule_id, tag=body.tag)

    return await writing.once(Permission.RULE_SNOOZE, effect)


@router.get("/snoozes", responses=problems(422))
async def list_snoozes(
    request: Request, response: Response, listing: Annotated[SnoozeListing, Query()], reading: Viewing
) -> Page[SnoozeView]:
    """Snoozes of rules and tags that run or will, in the order they were made. (A host shows its own.)"""
    after, at = decode_cursor(listing.cursor, (UUID,)), datetime.now(UTC)
    found = await store.page(
        reading.connection,
        rule_id=listing.rule,
        tag=listing.tag,
        after=after[0] if after else None,
        limit=listing.limit + 1,
        at=at,
    )
    items = found[: listing.limit]
    following = encode_cursor([items[-1].snooze_id]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=await _views(reading.connection, reading.caller, items, at=at), next=following)


@router.get(
    "/snoozes/{snooze_id}", response_model=SnoozeView, responses={**problems(404), 200: with_etag("The snooze")}
)
async def get_snooze(snooze_id: UUID, reading: Viewing) -> Response:
    """One snooze."""
    snooze = await store.load(reading.connection, snooze_id)
    answer = await _shown(reading.connection, reading.caller, snooze, at=datetime.now(UTC))
    return Response(answer.body, headers=dict(answer.headers))


@router.delete("/snoozes/{snooze_id}", status_code=204, responses=problems(404, 412))
async def end_snooze(snooze_id: UUID, writing: Writing) -> Response:
    """End a snooze now, or call off one that is planned; what is wrong then is told at once."""

    async def effect(connection: Connection) -> Answer:
        snooze = await store.lock(connection, snooze_id)
        check_version(writing.if_match, snooze.version)
        await store.update(connection, decide.end(snooze), at=writing.at)
        return Answer(204, changes=(decide.told_end("unsnooze", snooze),))

    return await writing.once(Permission.RULE_SNOOZE, effect)


@router.post("/rules/{rule_id}/snooze", status_code=201, response_model=SnoozeView, responses=_ADDED)
async def snooze_rule(rule_id: UUID, body: SnoozeToStart, writing: Writing) -> Response:
    """Hold back the rule's alerts for a while; hosts are judged as before. A snooze that runs now is replaced."""

    async def effect(connection: Connection) -> Answer:
        rule = await rule_store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        return await _start(connection, writing, body, rule_id=rule_id, tag=None)

    return await writing.once(Permission.RULE_SNOOZE, effect)


@router.delete("/rules/{rule_id}/snooze", status_code=204, responses=problems(404, 412))
async def unsnooze_rule(rule_id: UUID, writing: Writing) -> Response:
    """End the rule's snooze now; what is wrong then is told at once. Planned ones stay (DELETE /snoozes/{id})."""

    async def effect(connection: Connection) -> Answer:
        rule = await rule_store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        present, at = await store.lock_all_of(connection, rule_id=rule_id, at=writing.at)
        over = [one for one in present if decide.runs(one, at=at)]
        for one in over:
            await store.update(connection, decide.end(one), at=at)
        return Answer(204, changes=tuple(decide.told_end("unsnooze", one) for one in over))

    return await writing.once(Permission.RULE_SNOOZE, effect)


async def _known_rule(connection: Connection, rule_id: UUID) -> None:
    try:
        await rule_store.lock(connection, rule_id)
    except Problem:
        allowed = "the id of a rule of this workspace"
        raise invalid("rule_id", f"there is no rule {rule_id}", allowed) from None


async def _start(
    connection: Connection, writing: Writer, wanted: SnoozeToStart, *, rule_id: UUID | None, tag: str | None
) -> Answer:
    caller = writing.caller
    present, at = await store.lock_all_of(connection, rule_id=rule_id, tag=tag, at=writing.at)
    snooze = decide.add(
        wanted,
        workspace_id=caller.workspace_id,
        snooze_id=new_id(),
        rule_id=rule_id,
        tag=tag,
        by=caller.name,
        at=at,
    )
    decide.check_room(await store.count(connection))
    over = decide.replaced(snooze, present, at=at)
    # The new one first: whoever reads them in turn is never without one.
    await store.add(connection, snooze, at=at)
    for one in over:
        await store.update(connection, decide.end(one), at=at)
    shown = await _shown(connection, caller, snooze, at=at, status=201)
    return Answer(shown.status, shown.body, shown.headers, changes=(decide.told_start(snooze, over),))


async def _views(
    connection: Connection, caller: Caller, snoozes: Sequence[Snooze], *, at: datetime
) -> list[SnoozeView]:
    names = await people.names(connection, {one.by for one in snoozes})
    return [
        SnoozeView(
            **dict(one),
            by_name=names.get(one.by),
            running=decide.runs(one, at=at),
            href=f"/api/v1/workspaces/{caller.slug}/snoozes/{one.snooze_id}",
        )
        for one in snoozes
    ]


async def _shown(connection: Connection, caller: Caller, snooze: Snooze, *, at: datetime, status: int = 200) -> Answer:
    (view,) = await _views(connection, caller, [snooze], at=at)
    headers = {"ETag": etag(snooze.version), **({"Location": view.href} if status == 201 else {})}
    return answered(view, status=status, headers=headers)
