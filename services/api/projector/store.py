"""PostgreSQL's side of the projector: rows and offsets in one transaction.

Exceptions: OffsetsMoved (somebody else advanced them: roll back and read on from there), Unstorable (one value
PostgreSQL cannot hold: never the same batch again as it is), both before anything is committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import Connection, Cursor, connect, errors

from services.api.live.notices import CHANNEL
from services.api.projector import runs, tables
from services.api.projector.admission import HOST_KEYED, Admitted, Refused, workspace_of
from services.api.projector.changes import payloads
from services.api.projector.projections import rows_of
from vigilo.adapters.kafka.records import Partition
from vigilo.adapters.locks import AdvisoryLock
from vigilo.events.cards import ReportCard
from vigilo.events.scans import Snapshot

Positions = dict[Partition, int]

READ_MODEL: Final = "read_model"
_STATEMENTS: Final = {table.name: tables.statement(table) for table in tables.TABLES}

_ADVANCE = """
update projector_offsets old set next = given.upto
from jsonb_to_recordset(%s::jsonb) as given(topic text, partition integer, since bigint, upto bigint)
where old.topic = given.topic and old.partition = given.partition and old.next = given.since
"""
_OWN = """
insert into host_workspaces (topic, host_id, workspace_id)
select topic, host_id, workspace_id
from jsonb_to_recordset(%s::jsonb) as given(topic text, host_id uuid, workspace_id uuid)
on conflict do nothing
"""
_OTHER_OWNERS = """
select topic, host_id, old.workspace_id
from jsonb_to_recordset(%s::jsonb) as given(topic text, host_id uuid, workspace_id uuid)
join host_workspaces old using (topic, host_id)
where old.workspace_id <> given.workspace_id
"""
_FRESH_SCANS = """
insert into scans (scan_id, host_id, workspace_id, requested_at)
select scan_id, host_id, workspace_id, requested_at
from jsonb_to_recordset(%s::jsonb) as given(scan_id uuid, host_id uuid, workspace_id uuid, requested_at timestamptz)
on conflict do nothing
returning scan_id, host_id
"""
_BURY = "delete from work_items where item_id = any(%s)"


class OffsetsMoved(Exception):
    """The stored offsets are not those this batch begins at."""


class Unstorable(Exception):
    """PostgreSQL refuses a value of the batch; the message is PostgreSQL's."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records: `since` and `upto` are the offsets before and after, for the same partitions."""

    since: Positions
    upto: Positions
    admitted: Sequence[Admitted]


class Store:
    """One connection that writes the read model in `schema`. Not for two threads."""

    def __init__(self, url: str, *, schema: str = READ_MODEL, role: str | None = None) -> None:
        self._connection = connect(url, autocommit=True, application_name="vigilo-projector")
        self._schema = schema
        if role is not None:
            self._connection.execute(f"set role {role}")
        # A commit that a crash of the server forgets takes its offsets along: it is read again.
        self._connection.execute("set synchronous_commit = off")
        self._connection.execute("set timezone = 'UTC'")
        self._connection.execute(f"set search_path = {schema}")

    @property
    def connection(self) -> Connection[Any]:
        """The connection, for what only a rebuild asks."""
        return self._connection

    def close(self) -> None:
        """Ends the session, and with it the lock."""
        self._connection.close()

    def lead(self, *, idle_limit_ms: int) -> bool:
        """True if this session is (now) the one projector.

        A session that then says nothing for `idle_limit_ms` is ended by the server, so that a frozen projector does
        not hold the lock for ever: call `prove` more often than that.
        """
        self._connection.execute(f"set idle_session_timeout = {idle_limit_ms}")
        self._connection.execute(f"set idle_in_transaction_session_timeout = {idle_limit_ms}")
        row = self._connection.execute("select pg_try_advisory_lock(%s)", (AdvisoryLock.PROJECTOR,)).fetchone()
        return bool(row and row[0])

    def prove(self) -> None:
        """Says something. Raises psycopg.OperationalError once the session, and the lock with it, is gone."""
        self._connection.execute("")

    def positions(self, partitions: Iterable[Partition]) -> Positions:
        """Where to go on reading each partition; 0 for one never read, which is noted."""
        asked = list(partitions)
        wanted = [{"topic": topic, "partition": number} for topic, number in asked]
        self._connection.execute(
            "insert into projector_offsets (topic, partition, next) select topic, partition, 0 "
            "from jsonb_to_recordset(%s::jsonb) as given(topic text, partition integer) on conflict do nothing",
            (_json(wanted),),
        )
        rows = self._connection.execute("select topic, partition, next from projector_offsets").fetchall()
        stored = {Partition(topic, number): following for topic, number, following in rows}
        return {partition: stored[partition] for partition in asked}

    @contextmanager
    def applied(self, batch: Batch) -> Iterator[list[Refused]]:
        """Inside, rows and offsets are written but not committed; the commit comes at the end.

        Gives the events refused because their host belongs to another workspace: bring them to safety inside. Raises
        OffsetsMoved, Unstorable, psycopg.OperationalError; then nothing is committed.
        """
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                self._advance(cursor, batch)
                accepted, refused = self._owned(cursor, batch.admitted)
                written = self._first_of_each_scan(cursor, accepted)
                self._write(cursor, written)
                self._tell(cursor, written)
                yield refused
        except (errors.DataError, errors.IntegrityError) as error:
            raise Unstorable(error.diag.message_primary or str(error)) from error

    def move(self, since: Positions, upto: Positions) -> None:
        """The offsets are moved without rows, as when a topic begins later than they say. Raises OffsetsMoved."""
        with self.applied(Batch(since, upto, ())):
            pass

    def drop_expired(self, cutoff: datetime) -> None:
        """What is older than `cutoff` is gone."""
        self._connection.execute("select projector.drop_expired(%s)", (cutoff,))

    def _advance(self, cursor: Cursor[Any], batch: Batch) -> None:
        # Always the first statement: it takes the lock that a swap of the schema waits for (services/api/rebuild.py).
        moves = [
            {"topic": one.topic, "partition": one.number, "since": batch.since[one], "upto": upto}
            for one, upto in sorted(batch.upto.items())
        ]
        cursor.execute(_ADVANCE, (_json(moves),))
        if cursor.rowcount != len(moves):
            raise OffsetsMoved(f"{cursor.rowcount} of {len(moves)} partitions are where this batch begins")

    def _owned(self, cursor: Cursor[Any], admitted: Sequence[Admitted]) -> tuple[list[Admitted], list[Refused]]:
        """Those whose host belongs to the event's workspace: the workspace of the topic's first event of the host."""
        claims: dict[tuple[str, UUID], UUID] = {}
        for one in admitted:
            if one.record.topic in HOST_KEYED and one.event is not None:
                claims.setdefault((one.record.topic, one.subject), workspace_of(one.event))
        if claims:
            given = [{"topic": t, "host_id": host, "workspace_id": claims[t, host]} for t, host in sorted(claims)]
            cursor.execute(_OWN, (_json(given),))
            if cursor.rowcount != len(claims):
                cursor.execute(_OTHER_OWNERS, (_json(given),))
                claims |= {(topic, host): owner for topic, host, owner in cursor.fetchall()}
        return _divided(admitted, claims)

    def _first_of_each_scan(self, cursor: Cursor[Any], admitted: Sequence[Admitted]) -> list[Admitted]:
        first: dict[tuple[UUID, UUID], Admitted] = {}
        for one in admitted:
            if isinstance(one.event, Snapshot):
                first.setdefault((one.event.scan_id, one.subject), one)
        if not first:
            return list(admitted)
        given = [_scan_row(key, first[key]) for key in sorted(first)]
        cursor.execute(_FRESH_SCANS, (_json(given),))
        fresh = set(cursor.fetchall())
        counting = {id(one) for key, one in first.items() if key in fresh}
        return [one for one in admitted if not isinstance(one.event, Snapshot) or id(one) in counting]

    def _write(self, cursor: Cursor[Any], admitted: Sequence[Admitted]) -> None:
        rows: defaultdict[str, list[tables.Row]] = defaultdict(list)
        buried: list[UUID] = []
        for one in admitted:
            if one.event is None:
                # What the batch said of the item before its tombstone is gone with it.
                rows[tables.WORK_ITEMS.name] = [r for r in rows[tables.WORK_ITEMS.name] if r["item_id"] != one.subject]
                buried.append(one.subject)
            for table, row in rows_of(one):
                rows[table.name].append(row)
        if buried:
            cursor.execute(_BURY, (sorted(buried),))
        cards = [one.event for one in admitted if isinstance(one.event, ReportCard)]
        if cards:
            rows[tables.CARD_RUNS.name] = runs.grown(cursor, cards)
        self._ensure_months(cursor, rows)
        for table in tables.TABLES:
            if table.name in rows:
                cursor.execute(_STATEMENTS[table.name], (_json(tables.folded(table, rows[table.name])),))

    def _tell(self, cursor: Cursor[Any], written: Sequence[Admitted]) -> None:
        # Heard when the commit is through. What a rebuild writes beside the read model is no news to anybody.
        if self._schema == READ_MODEL and (told := list(payloads(written, at=datetime.now(UTC)))):
            cursor.execute("select pg_notify(%s, payload) from unnest(%s::text[]) as payload", (CHANNEL, told))

    def _ensure_months(self, cursor: Cursor[Any], rows: Mapping[str, Sequence[tables.Row]]) -> None:
        times = (row["requested_at"] for name in ("snapshots", "report_cards") for row in rows.get(name, ()))
        months = {(moment.year, moment.month) for moment in (each.astimezone(UTC) for each in times)}
        for year, month in sorted(months):
            cursor.execute(
                "select projector.ensure_month(%s, %s)", (self._schema, datetime(year, month, 1, tzinfo=UTC))
            )


def _divided(
    admitted: Sequence[Admitted], owners: Mapping[tuple[str, UUID], UUID]
) -> tuple[list[Admitted], list[Refused]]:
    accepted: list[Admitted] = []
    refused: list[Refused] = []
    for one in admitted:
        owner = owners.get((one.record.topic, one.subject))
        if one.event is None or owner is None or owner == workspace_of(one.event):
            accepted.append(one)
        else:
            detail = f"host {one.subject} belongs to workspace {owner}, the event says {workspace_of(one.event)}"
            refused.append(Refused(one.record, "foreign-workspace", detail))
    return accepted, refused


def _scan_row(key: tuple[UUID, UUID], one: Admitted) -> tables.Row:
    assert isinstance(one.event, Snapshot)
    workspace_id, requested_at = one.event.target.workspace_id, one.event.requested_at
    return {"scan_id": key[0], "host_id": key[1], "workspace_id": workspace_id, "requested_at": requested_at}


def _json(rows: Sequence[tables.Row]) -> str:
    return orjson.dumps(rows).decode("utf-8")
