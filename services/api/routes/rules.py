"""/rules: when to alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.api.audit.change import Change
from services.api.auth import Caller
from services.api.commands import rules as decide
from services.api.commands.rule_warnings import warnings
from services.api.commands.snoozes import end, told_end
from services.api.etags import check_version, etag
from services.api.idempotency import Answer
from services.api.models.rules import RuleDetail, RuleListing, RulePatch, RuleToAdd, RuleView
from services.api.openapi import BASE, problems, with_etag
from services.api.pagination import Page, decode_cursor, encode_cursor, link_next
from services.api.permissions import Permission
from services.api.reading import Viewing
from services.api.stores import rows
from services.api.stores import rules as store
from services.api.stores import snoozes as snooze_store
from services.api.writing import Writer, Writing, answered
from vigilo.adapters.postgres import Connection
from vigilo.events.ids import new_id
from vigilo.events.rules import AlertRule

router = APIRouter(prefix=f"{BASE}/rules", tags=["rules"])


@router.post("", status_code=201, response_model=RuleDetail, responses={**problems(409, 422), 201: with_etag("Added")})
async def add_rule(body: RuleToAdd, writing: Writing) -> Response:
    """Add an alert rule. Every host in its scope is judged at once."""

    async def effect(connection: Connection) -> Answer:
        rule = decide.add(body, workspace_id=writing.caller.workspace_id, rule_id=new_id(), at=writing.at)
        await store.hold_channels(connection, rule)
        await store.check_references(connection, rule)
        await rows.insert(connection, store.TABLE, rule)
        await rows.publish(connection, rule.workspace_id, [decide.record(rule)])
        return await _shown(connection, writing, rule, status=201, changes=(decide.told("create", None, rule),))

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
    ends = await _snoozed(reading.connection, items, at=datetime.now(UTC))
    return Page(items=[_view(reading.caller, rule, ends) for rule in items], next=following)


@router.get("/{rule_id:uuid}", response_model=RuleDetail, responses={**problems(404), 200: with_etag("The rule")})
async def get_rule(rule_id: UUID, reading: Viewing) -> Response:
    """One rule."""
    rule = await store.load(reading.connection, rule_id)
    view = await _detail(reading.connection, reading.caller, rule, at=datetime.now(UTC))
    answer = answered(view, headers={"ETag": etag(rule.version)})
    return Response(answer.body, headers=dict(answer.headers))


@router.patch(
    "/{rule_id:uuid}",
    response_model=RuleDetail,
    responses={**problems(404, 409, 412, 422), 200: with_etag("As it is now")},
)
async def edit_rule(rule_id: UUID, body: RulePatch, writing: Writing) -> Response:
    """Change a rule. Another trigger or scope judges again; what is still true stays open."""

    async def effect(connection: Connection) -> Answer:
        rule = await store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        changed = decide.edit(rule, body, at=writing.at)
        if changed is rule:
            return await _shown(connection, writing, rule)
        await store.hold_channels(connection, changed)
        await store.check_references(connection, changed)
        await _apply(connection, changed)
        return await _shown(connection, writing, changed, changes=(decide.told("edit", rule, changed),))

    return await writing.once(Permission.RULE_EDIT, effect)


@router.delete("/{rule_id:uuid}", status_code=204, responses=problems(404, 409, 412))
async def delete_rule(rule_id: UUID, writing: Writing) -> Response:
    """Remove a rule and its snoozes; its open alerts are closed."""

    async def effect(connection: Connection) -> Answer:
        rule = await store.lock(connection, rule_id)
        check_version(writing.if_match, rule.version)
        deleted = decide.delete(rule, at=writing.at)
        await _apply(connection, deleted)
        snoozes, at = await snooze_store.lock_all_of(connection, rule_id=rule_id, at=writing.at)
        for one in snoozes:
            await snooze_store.update(connection, end(one), at=at)
        ended = (told_end("unsnooze", one) for one in snoozes)
        return Answer(204, changes=(*ended, decide.told("delete", rule, deleted)))

    return await writing.once(Permission.RULE_DELETE, effect)


async def _apply(connection: Connection, rule: AlertRule) -> None:
    await rows.update(connection, store.TABLE, rule)
    await rows.publish(connection, rule.workspace_id, [decide.record(rule)])


async def _snoozed(connection: Connection, rules: Sequence[AlertRule], *, at: datetime) -> dict[UUID, datetime]:
    running = await snooze_store.of_rules(connection, [rule.rule_id for rule in rules], at=at)
    return {rule_id: snooze.until for rule_id, snooze in running.items()}


def _view(caller: Caller, rule: AlertRule, snoozed: Mapping[UUID, datetime]) -> RuleView:
    href = f"/api/v1/workspaces/{caller.slug}/rules/{rule.rule_id}"
    return RuleView(**dict(rule), snoozed_until=snoozed.get(rule.rule_id), href=href)


async def _detail(connection: Connection, caller: Caller, rule: AlertRule, *, at: datetime) -> RuleDetail:
    told = warnings(
        rule,
        hosts_with_tag=await store.hosts_with_tag(connection, rule),
        disabled_channels=await store.disabled_channels(connection, rule),
    )
    view = _view(caller, rule, await _snoozed(connection, [rule], at=at))
    return RuleDetail(**dict(view), warnings=told)


async def _shown(
    connection: Connection, writing: Writer, rule: AlertRule, *, status: int = 200, changes: tuple[Change, ...] = ()
) -> Answer:
    view = await _detail(connection, writing.caller, rule, at=writing.at)
    headers = {"ETag": etag(rule.version), **({"Location": view.href} if status == 201 else {})}
    return answered(view, status=status, headers=headers, changes=changes)
