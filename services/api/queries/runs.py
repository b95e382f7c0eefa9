"""The history of hosts as previews read it: runs of report cards, and cards or changes where runs are not enough."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.projector.runs import TEXTUAL, Reading, run_of
from vigilo.adapters.postgres import Connection
from vigilo.alerting.replay import Missing, Watched
from vigilo.alerting.runs import EARLY, CardRun
from vigilo.events.cards import CertificateChange
from vigilo.events.hosts import Host
from vigilo.events.rules import OneHost, Scope, TaggedHosts

_MICROSECOND: Final = timedelta(microseconds=1)
_PIECE: Final = 500
# Of each host the run at the beginning of the window, or the last one before it, and all that came later.
_RUNS: Final = f"""
    select {TEXTUAL} from unnest(%(hosts)s::uuid[]) as given(host_id)
    cross join lateral (
        select max(p.first_at) as first_at from read_model.card_runs p
        where p.host_id = given.host_id and p.first_at <= %(since)s
    ) began
    join read_model.card_runs r
        on r.host_id = given.host_id and r.first_at >= coalesce(began.first_at, '-infinity')
        and r.first_at <= %(until)s
    order by r.host_id, r.first_at, r.first_scan_id
    limit %(limit)s
"""
_WATCHED: Final = """
    select subject, max(at) as since, max(at) filter (where action = 'host.resume') as resumed_at
    from config.audit_entries
    where subject = any(%s) and (action = 'host.resume'
        or action = 'host.edit' and before ->> 'interval' is distinct from after ->> 'interval')
    group by subject
"""
# Late cards stand in the history, but were never news.
_CARDS: Final = """
    select wanted.number, c.requested_at
    from unnest(%(hosts)s::uuid[], %(since)s::timestamptz[], %(until)s::timestamptz[], %(most)s::integer[])
        with ordinality as wanted(host_id, since, until, most, number)
    cross join lateral (
        select requested_at from read_model.report_cards
        where host_id = wanted.host_id and requested_at >= wanted.since and requested_at <= wanted.until
            and not coalesce((event ->> 'late')::boolean, false)
        order by requested_at limit wanted.most
    ) c
    order by wanted.number, c.requested_at
"""


async def hosts_in(connection: Connection, scopes: Sequence[Scope]) -> tuple[list[Host], int]:
    """The active hosts in any of the scopes, by id, and how many of the paused ones are."""
    tags = [scope.tag for scope in scopes if isinstance(scope, TaggedHosts)]
    ids = [scope.host_id for scope in scopes if isinstance(scope, OneHost)]
    every = len(tags) + len(ids) < len(scopes)
    found = await connection.execute(
        "select * from config.hosts where status <> 'deleted' and (%s or tags && %s::text[] or host_id = any(%s)) "
        "order by host_id",
        (every, tags, ids),
    )
    rows = await found.fetchall()
    active = [Host.model_validate(row) for row in rows if row["status"] == "active"]
    return active, len(rows) - len(active)


async def runs(
    connection: Connection, hosts: Sequence[UUID], *, since: datetime, until: datetime, limit: int
) -> dict[UUID, list[CardRun]]:
    """By host, in order: the run at `since` and those that began until `until`; at most `limit` in all."""
    wanted = {"hosts": list(hosts), "since": since, "until": until, "limit": limit}
    by_host: defaultdict[UUID, list[CardRun]] = defaultdict(list)
    reading = Reading()
    found = await connection.execute(_RUNS, wanted)
    while rows := await found.fetchmany(_PIECE):
        for row in rows:
            by_host[row["host_id"]].append(reading.run(row))
        await asyncio.sleep(0)  # others have their turn
    return by_host


async def cards(connection: Connection, wanted: Sequence[Missing]) -> dict[UUID, list[list[datetime]]]:
    """By host, the instants of consecutive cards: after each instant asked for the next ten, or a whole run."""
    asked = [
        (one.run.host_id, since, one.run.last_at, most)
        for one in wanted
        for since, most in (
            [(one.run.first_at, one.run.cards)] if one.whole else [(after + _MICROSECOND, EARLY) for after in one.after]
        )
    ]
    if not asked:
        return {}
    hosts, since, until, most = (list(column) for column in zip(*asked, strict=True))
    found = await connection.execute(_CARDS, {"hosts": hosts, "since": since, "until": until, "most": most})
    blocks: list[list[datetime]] = [[] for _ in asked]
    async for row in found:
        blocks[row["number"] - 1].append(row["requested_at"])
    by_host: defaultdict[UUID, list[list[datetime]]] = defaultdict(list)
    for (host_id, *_), block in zip(asked, blocks, strict=True):
        by_host[host_id].append(block)
    return by_host


async def changes(
    connection: Connection, hosts: Sequence[UUID], *, since: datetime, until: datetime
) -> dict[UUID, list[CertificateChange]]:
    """By host, in order: the certificate changes in the window."""
    found = await connection.execute(
        "select host_id, event from read_model.certificate_changes where host_id = any(%s) "
        "and requested_at between %s and %s order by host_id, requested_at, scan_id",
        (list(hosts), since, until),
    )
    by_host: defaultdict[UUID, list[CertificateChange]] = defaultdict(list)
    for row in await found.fetchall():
        by_host[row["host_id"]].append(CertificateChange.model_validate(row["event"]))
    return by_host


async def watched(connection: Connection, hosts: Sequence[UUID]) -> dict[UUID, Watched]:
    """By host, since when it is watched; left out where that is since it was added."""
    found = await connection.execute(_WATCHED, ([f"host:{host}" for host in hosts],))
    return {UUID(row["subject"].removeprefix("host:")): Watched(row["since"], row["resumed_at"]) async for row in found}


async def newest(connection: Connection, host_id: UUID) -> CardRun | None:
    """The host's newest run; None without one."""
    found = await connection.execute(
        "select * from read_model.card_runs where host_id = %s order by first_at desc, first_scan_id desc limit 1",
        (host_id,),
    )
    row = await found.fetchone()
    return None if row is None else run_of(row)
