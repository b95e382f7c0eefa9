"""Snapshots of hosts."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from services.api.queries.hosts import host_columns
from services.api.queries.places import Place
from vigilo.adapters.postgres import Connection

_WHOLE: Final = f"""
    select s.event, c.grade, {host_columns("s.event -> 'target'")}
    from read_model.snapshots s
    left join read_model.report_cards c using (host_id, requested_at, scan_id)
    left join config.hosts h on h.host_id = s.host_id
"""


async def page(
    connection: Connection, host_id: UUID, *, outcome: str | None, after: Place | None, limit: int
) -> list[dict[str, Any]]:
    """At most `limit` snapshots of the host, newest first."""
    conditions = ["s.host_id = %(host)s"]
    values: dict[str, Any] = {"host": host_id, "limit": limit, "outcome": outcome}
    if outcome is not None:
        conditions.append("s.outcome = %(outcome)s")
    if after is not None:
        conditions.append("(s.requested_at, s.scan_id) < (%(at)s, %(id)s)")
        conditions.append("s.requested_at <= %(at)s")  # by this alone the planner leaves out later months
        values |= {"at": after.at, "id": after.id}
    found = await connection.execute(
        f"""
        select s.host_id, s.scan_id, s.requested_at, s.outcome, c.grade,
            s.event ->> 'finished_at' as finished_at, s.event ->> 'depth' as depth, s.event ->> 'reason' as reason,
            s.event ->> 'detail' as detail, s.event ->> 'tls_version' as tls_version,
            s.event -> 'chain' -> 0 ->> 'fingerprint_sha256' as leaf_sha256
        from read_model.snapshots s
        left join read_model.report_cards c using (host_id, requested_at, scan_id)
        where {" and ".join(conditions)}
        order by s.requested_at desc, s.scan_id desc limit %(limit)s
        """,
        values,
    )
    return await found.fetchall()


async def latest(connection: Connection, host_id: UUID) -> dict[str, Any] | None:
    """The newest snapshot of the host, whole."""
    found = await connection.execute(
        f"{_WHOLE} where (s.host_id, s.requested_at, s.scan_id) = "
        "(select l.host_id, l.requested_at, l.scan_id from read_model.host_latest l where l.host_id = %s)",
        (host_id,),
    )
    return await found.fetchone()


async def one(connection: Connection, scan_id: UUID) -> dict[str, Any] | None:
    """The snapshot of this scan, whole."""
    found = await connection.execute(
        f"{_WHOLE} where (s.host_id, s.requested_at, s.scan_id) = "
        "(select i.host_id, i.requested_at, i.scan_id from read_model.scans i where i.scan_id = %s "
        "order by i.host_id limit 1)",
        (scan_id,),
    )
    return await found.fetchone()
