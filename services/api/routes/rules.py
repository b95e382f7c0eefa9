"""/rules: when to alert."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.audit.change import Change
from services.api.auth import Caller
from services.api.commands import rules as decide
from services.api.commands.snoozes import end
from services.api.etags import check_version, etag
from services.api.idempotency import Answer
from services.api.models.rules import RuleListing, RulePatch, RuleToAdd, RuleView
from services.api.openapi import BASE, problems, with_etag
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.reading import Viewing
from services.api.stores import rows
from services.api.stores import rules as store
from services.api.stores import snoozes as snooze_store
from services.api.writing import Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id
from vigilo.events.rules import AlertRule

router = APIRouter(prefix=f"{BASE}/rules", tags=["rules"])


@router.post("", status_code=201, response_model=RuleView, responses={**problems(409, 422), 201: with_etag("Added")})
async def add_rule(body: RuleToAdd, writing: Writing) -> Response:
    """Add an alert rule. Every host in its scope is judged at once."""

    async def effect(connection: Connection) -> Answer:
        rule = decide.add(body, workspace_id=writing.caller.workspace_id, rule_id=new_id(), at=writing.at)
        await store.check_references(connection, rule)
        await rows.insert(connection, store.TABLE, rule)
        await rows.publish(connection, rule.workspace_id, [decide.record(rule)])
        return _shown(writing.caller, rule, status=201, changes=(decide.told("create", None, rule),))

    return await writing.once(Permission.RULE_CREATE, effect)


@router.get("", responses=problems(422))
async def list_rules(
    request: Request, response: Response, listing: Annotated[RuleListing, Query()], reading: Viewing
) -> Page[RuleView]:
    """Rules in the order they were made."""
    after = decode_cursor(listing.cursor, (UUID,))
    found = await store.page(reading.connection, after=after[0] if after else None, limit=listing.limit + 1)
    items = found[: listing.limit]
    following = encode_cursor([items[-1].rule_id]) if len(found) > listing.limit else None
    link_next(request, response, following)
    return Page(items=[_view(reading.caller, rule) for rule in items], next=following)


@router.get("/{rule_id}", response_model=RuleView, responses={**problems(404), 200: with_etag("The rule")})
async def get_rule(rule_id: UUID, reading: Viewing) -> Response:
    """One rule."""
    answer = _shown(reading.caller, await store.load(reading.connection, rule_id))
    return Response(answer.body, headers=dict(answer.headers))


@router.patch(
    "/{rule_id}", response_model=RuleView, responses={**problems(404, 409, 412, 422), 200: with_etag("As it is now")}
)
async def edit_rule(rule_id: UUID, body: RulePatch, writing: Writing) -> Response:
    """Change a rule. Another trigger or scope judges again; what is still true stays open."""

    async def effect(connection: Connection) -> Answer:
        rule = await store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        changed = decide.edit(rule, body, at=writing.at)
        if changed is rule:
            return _shown(writing.caller, rule)
        await store.check_references(connection, changed)
        await _apply(connection, changed)
        return _shown(writing.caller, changed, changes=(decide.told("edit", rule, changed),))

    return await writing.once(Permission.RULE_EDIT, effect)


@router.delete("/{rule_id}", status_code=204, responses=problems(404, 409, 412))
async def delete_rule(rule_id: UUID, writing: Writing) -> Response:
    """Remove a rule and its snoozes; its open alerts are closed."""

    async def effect(connection: Connection) -> Answer:
        rule = await store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        deleted = decide.delete(rule, at=writing.at)
        await _apply(connection, deleted)
        for one in await snooze_store.lock_all_of(connection, rule_id=rule_id):
            await snooze_store.update(connection, end(one), at=writing.at)
        return Answer(204, changes=(decide.told("delete", rule, deleted),))

    return await writing.once(Permission.RULE_DELETE, effect)


async def _apply(connection: Connection, rule: AlertRule) -> None:
    await rows.update(connection, store.TABLE, rule)
    await rows.publish(connection, rule.workspace_id, [decide.record(rule)])


def _view(caller: Caller, rule: AlertRule) -> RuleView:
    return RuleView(**dict(rule), href=f"/api/v1/workspaces/{caller.slug}/rules/{rule.rule_id}")


def _shown(caller: Caller, rule: AlertRule, *, status: int = 200, changes: tuple[Change, ...] = ()) -> Answer:
    view = _view(caller, rule)
    headers = {"ETag": etag(rule.version), **({"Location": view.href} if status == 201 else {})}
    return answered(view, status=status, headers=headers, changes=changes)
