"""Alerts and their transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.api.queries.hosts import host_columns
from services.api.queries.places import Place
from vigilo.adapters.postgres import Connection

# What comes after an acknowledgement (clearing) leaves the alert open, and acknowledged.
_STATE: Final = "(case when a.state = 'open' and k.acknowledged is not null then 'acknowledged' else a.state end)"
_ALERTS: Final = f"""
    select a.alert_id, a.host_id, a.rule_id, {_STATE} as state, a.severity, a.opened_at, a.at, a.n,
        (a.event ->> 'episode')::integer as episode, a.event ->> 'summary' as summary,
        a.event ->> 'close_reason' as close_reason, a.event -> 'facts' as facts,
        a.event ->> 'snoozed_until' as snoozed_until, coalesce(a.event ->> 'cause', 'scan') as cause,
        a.event ->> 'help' as help,
        coalesce(r.name, a.event -> 'rule' ->> 'name') as rule_name, k.acknowledged,
        {host_columns("a.event -> 'host'")}
    from read_model.alerts a
    left join config.hosts h on h.host_id = a.host_id
    left join config.alert_rules r on r.rule_id = a.rule_id
    left join lateral (
        select jsonb_build_object('at', t.at, 'by', t.event -> 'by', 'note', t.event -> 'note') as acknowledged
        from read_model.alert_transitions t
        where t.alert_id = a.alert_id and t.host_id = a.host_id and t.kind = 'acknowledged'
        order by t.n desc limit 1
    ) k on true
"""
# One that was only ever pending was never an alert to anybody, unless pending ones are asked for.
_FIRED: Final = """exists (
    select from read_model.alert_transitions f where f.alert_id = a.alert_id and f.host_id = a.host_id
        and f.kind in ('opened', 'notice', 'suppressed', 'acknowledged'))"""


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; without `states` all that ever fired."""

    states: Sequence[str] = ()
    severity: str | None = None
    host_id: UUID | None = None
    rule_id: UUID | None = None


async def page(connection: Connection, wanted: AlertFilter, *, after: Place | None, limit: int) -> list[dict[str, Any]]:
    """At most `limit` alerts, the newest opened first."""
    values = {
        "states": list(wanted.states),
        "severity": wanted.severity,
        "host": wanted.host_id,
        "rule": wanted.rule_id,
        "at": after.at if after else None,
        "id": after.id if after else None,
        "limit": limit,
    }
    conditions = [
        text
        for text, applies in (
            (f"{_STATE} = any(%(states)s)", bool(wanted.states)),
            ("a.state <> 'closed'", bool(wanted.states) and "closed" not in wanted.states),  # for its own index
            (_FIRED, "pending" not in wanted.states),
            ("a.severity = %(severity)s", wanted.severity is not None),
            ("a.host_id = %(host)s", wanted.host_id is not None),
            ("a.rule_id = %(rule)s", wanted.rule_id is not None),
            ("(a.opened_at, a.alert_id) < (%(at)s, %(id)s)", after is not None),
        )
        if applies
    ]
    where = f"where {' and '.join(conditions)}" if conditions else ""
    found = await connection.execute(
        f"{_ALERTS} {where} order by a.opened_at desc, a.alert_id desc limit %(limit)s", values
    )
    return await found.fetchall()


async def one(connection: Connection, alert_id: UUID) -> dict[str, Any] | None:
    """The alert."""
    found = await connection.execute(f"{_ALERTS} where a.alert_id = %s order by a.host_id limit 1", (alert_id,))
    return await found.fetchone()


async def transitions(connection: Connection, alert_id: UUID, host_id: UUID) -> list[dict[str, Any]]:
    """Every transition of the alert, in order."""
    found = await connection.execute(
        "select event from read_model.alert_transitions where alert_id = %s and host_id = %s order by n",
        (alert_id, host_id),
    )
    return await found.fetchall()
