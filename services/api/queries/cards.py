"""Report cards, certificate changes, and what else happened to a host."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.api.queries.hosts import host_columns
from services.api.queries.places import Place
from vigilo.adapters.postgres import Connection


async def latest(connection: Connection, host_id: UUID) -> dict[str, Any] | None:
    """The newest report card of the host, whole."""
    found = await connection.execute(
        f"""
        select c.event, {host_columns("c.event -> 'target'")}
        from read_model.report_cards c left join config.hosts h on h.host_id = c.host_id
        where (c.host_id, c.requested_at, c.scan_id) =
            (select l.host_id, l.requested_at, l.scan_id from read_model.host_report_cards l where l.host_id = %s)
        """,
        (host_id,),
    )
    return await found.fetchone()


async def days(connection: Connection, host_id: UUID, *, since: datetime) -> list[dict[str, Any]]:
    """Per day (UTC) since then: counts of scans, and the last, best and worst letter. Oldest first."""
    found = await connection.execute(
        """
        select (requested_at at time zone 'UTC')::date as day, count(*) as scans,
            count(*) filter (where outcome <> 'ok') as failed,
            (array_agg(grade order by requested_at desc, scan_id desc) filter (where grade is not null))[1] as grade,
            min(rank) as best_rank, max(rank) as worst_rank
        from (
            select requested_at, scan_id, outcome, grade,
                array_position(array['A+', 'A', 'A-', 'B', 'C', 'D', 'E', 'F'], grade) - 1 as rank
            from read_model.report_cards where host_id = %s and requested_at >= %s
        ) cards
        group by day order by day
        """,
        (host_id, since),
    )
    return await found.fetchall()


async def grade_changes(connection: Connection, host_id: UUID, *, since: datetime, limit: int) -> list[dict[str, Any]]:
    """When the letter became another one, newest first. Scans without a letter change nothing."""
    found = await connection.execute(
        """
        select requested_at as at, scan_id, old_grade, grade from (
            select requested_at, scan_id, grade,
                lag(grade) over (order by requested_at, scan_id) as old_grade
            from read_model.report_cards where host_id = %s and requested_at >= %s and grade is not null
        ) letters
        where old_grade is distinct from grade
        order by requested_at desc, scan_id desc limit %s
        """,
        (host_id, since, limit),
    )
    return await found.fetchall()


@dataclass(frozen=True, slots=True)
class Changes:
    """Which certificate changes; None = whichever."""

    kind: str | None = None
    unexpected: bool | None = None


async def changes(
    connection: Connection, host_id: UUID, which: Changes, *, after: Place | None, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` certificate changes of the host, newest first; one without a kind is of the leaf."""
    found = await connection.execute(
        """
        select requested_at, scan_id, event from read_model.certificate_changes
        where host_id = %(host)s
            and (%(at)s::timestamptz is null or (requested_at, scan_id) < (%(at)s, %(id)s::uuid))
            and (%(kind)s::text is null or coalesce(event ->> 'kind', 'leaf') = %(kind)s)
            and (%(unexpected)s::boolean is null
                or (jsonb_array_length(coalesce(event -> 'unexpected', '[]')) > 0) = %(unexpected)s)
        order by requested_at desc, scan_id desc limit %(limit)s
        """,
        _after(host_id, after, limit) | {"kind": which.kind, "unexpected": which.unexpected},
    )
    return await found.fetchall()


async def timeline(connection: Connection, host_id: UUID, *, after: Place | None, limit: int) -> list[dict[str, Any]]:
    """At most `limit` of all that happened, newest first: alert transitions, new certificates, work items."""
    found = await connection.execute(
        """
        with alert_rows as (
            select at, transition_id as id, 'alert' as kind, event as details from read_model.alert_transitions
            where host_id = %(host)s and (%(at)s::timestamptz is null or (at, transition_id) < (%(at)s, %(id)s::uuid))
            order by at desc, transition_id desc limit %(limit)s
        ), change_rows as (
            select requested_at, scan_id, 'certificate-change', event from read_model.certificate_changes
            where host_id = %(host)s
                and (%(at)s::timestamptz is null or (requested_at, scan_id) < (%(at)s, %(id)s::uuid))
            order by requested_at desc, scan_id desc limit %(limit)s
        ), item_rows as (
            select updated_at, item_id, 'work-item', to_jsonb(w) from read_model.work_items w
            where host_ids @> array[%(host)s::uuid] and status <> 'deleted'
                and (%(at)s::timestamptz is null or (updated_at, item_id) < (%(at)s, %(id)s::uuid))
            order by updated_at desc, item_id desc limit %(limit)s
        )
        select * from alert_rows union all select * from change_rows union all select * from item_rows
        order by at desc, id desc limit %(limit)s
        """,
        _after(host_id, after, limit),
    )
    return await found.fetchall()


def _after(host_id: UUID, after: Place | None, limit: int) -> dict[str, Any]:
    return {"host": host_id, "limit": limit, "at": after.at if after else None, "id": after.id if after else None}
