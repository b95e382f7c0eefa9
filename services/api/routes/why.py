"""/rules/{id}/why and /alerts/{id}/why: what decided."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query

from services.api.models.observed import HostRef
from services.api.models.why import (
    AlertThen,
    AlertWhyView,
    CountingView,
    NowView,
    RuleNow,
    SilenceView,
    Step,
    WhyView,
)
from services.api.openapi import BASE, problems
from services.api.problems import Problem, not_found
from services.api.queries import runs
from services.api.queries import why as query
from services.api.reading import Viewing
from services.api.stores import hosts as hosts_store
from services.api.stores import rules as rules_store
from vigilo.adapters.postgres import Connection
from vigilo.alerting import messages
from vigilo.alerting.replay import Missing
from vigilo.alerting.why import Case, Why, told_last, why
from vigilo.events.alerts import AlertFacts, AlertTransition
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule

router = APIRouter(prefix=BASE)

R = TypeVar("R")

_LAST = 10
_RUNS_MOST = 1_000


@router.get("/rules/{rule_id}/why", tags=["rules"], responses=problems(404, 422))
async def why_of_rule(
    rule_id: UUID, host: Annotated[UUID, Query(description="The host asked about")], reading: Viewing
) -> WhyView:
    """Why this rule has, or has not, an alert at a host: answer, settings and snoozes that decide."""
    rule = await rules_store.load(reading.connection, rule_id)
    record = await hosts_store.load(reading.connection, host)
    course = await query.of_rule(reading.connection, rule_id, host, limit=_LAST)
    case = await _case(reading.connection, rule, record, course)
    found = why(case)
    return WhyView(
        sentence=found.sentence, at=case.at, host=_ref(record), now=_now(case, found), transitions=_steps(course)
    )


@router.get("/alerts/{alert_id}/why", tags=["alerts"], responses=problems(404))
async def why_of_alert(alert_id: UUID, reading: Viewing) -> AlertWhyView:
    """Why this alert came to be, by what it was decided, and what its rule says now."""
    course = await query.of_alert(reading.connection, alert_id, limit=_LAST)
    if not course:
        raise not_found("alert")
    last = course[0]
    rule = await _unless_gone(rules_store.load(reading.connection, last.rule.rule_id))
    host = await _unless_gone(hosts_store.load(reading.connection, last.host.host_id))
    now, at, told = None, datetime.now(UTC), f" The {'rule' if rule is None else 'host'} is deleted now."
    if rule is not None and host is not None:
        newest = await query.of_rule(reading.connection, rule.rule_id, host.host_id, limit=1)
        case = await _case(reading.connection, rule, host, newest)
        found = why(case)
        now, told = _now(case, found), f" Now: {found.sentence}"
    return AlertWhyView(
        sentence=told_last(last) + told,
        at=at,
        host=_ref(host) if host is not None else _former(last),
        now=now,
        transitions=_steps(course),
        alert=AlertThen(
            alert_id=alert_id,
            rule_version=last.rule.version,
            rule_version_now=None if rule is None else rule.version,
            facts=last.facts,
        ),
    )


async def _unless_gone(loading: Awaitable[R]) -> R | None:
    try:
        return await loading
    except Problem:
        return None


async def _case(connection: Connection, rule: AlertRule, host: Host, course: Sequence[AlertTransition]) -> Case:
    at = datetime.now(UTC)
    last = course[0] if course else None
    since = at if last is None else last.at
    one = host.host_id
    by_host = await runs.runs(connection, [one], since=since, until=at, limit=_RUNS_MOST)
    after = [Missing(run, after=(max(since, run.first_at),)) for run in by_host.get(one, ()) if last is not None]
    return Case(
        rule,
        host,
        await runs.newest(connection, one),
        at,
        await query.silences(connection, rule.rule_id, host, at=at),
        last,
        by_host.get(one, ()),
        (await runs.cards(connection, after)).get(one, ()),
        (await runs.watched(connection, [one])).get(one),
    )


def _now(case: Case, found: Why) -> NowView:
    run = case.run
    scan = None if run is None else AlertFacts(scan_id=run.last_scan_id, scanned_at=run.last_at)
    return NowView(
        decider=found.decider,
        answer=found.answer,
        in_scope=found.in_scope,
        host_status=case.host.status,
        rule=RuleNow.model_validate(dict(case.rule)),
        changes_at=found.changes_at,
        counting=None if found.counting is None else CountingView.model_validate(found.counting),
        snoozes=[SilenceView.model_validate(one) for one in case.silences],
        facts=messages.facts(case.rule, case.view, at=case.at, scan=scan),
        scans=None if run is None else run.cards,
        same_since=None if run is None else run.first_at,
    )


def _steps(course: Sequence[AlertTransition]) -> list[Step]:
    return [Step(**{**dict(one), "rule_version": one.rule.version}) for one in course]


def _ref(host: Host) -> HostRef:
    return HostRef(host_id=host.host_id, hostname=host.hostname, port=host.port, tags=host.tags)


def _former(last: AlertTransition) -> HostRef:
    host = last.host
    return HostRef(host_id=host.host_id, hostname=host.hostname, port=host.port, tags=host.tags)
