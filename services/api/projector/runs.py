"""Runs of report cards in the read model (vigilo/alerting/runs.py): each host's newest one grows, or a new one begins.

Unlike other rows they hang on what came before, so a batch first reads the newest run of each host in it. Which one
that is does not depend on where batches end: cards of a host come in the order of their partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from psycopg import Cursor
from psycopg.rows import dict_row

from services.api.projector import tables
from vigilo.alerting.knowledge import Course, Knowledge
from vigilo.alerting.runs import CardRun, Peer, extended
from vigilo.events.cards import ReportCard

_COLUMNS: Final = ", ".join(f"r.{name}" for name in tables.CARD_RUNS.columns)
_HEADS: Final = f"""
select {_COLUMNS} from unnest(%s::uuid[]) as given(host_id) cross join lateral (
    select * from card_runs c where c.host_id = given.host_id order by c.first_at desc, c.first_scan_id desc limit 1
) r
"""
# For `Reading`.
TEXTUAL: Final = ", ".join(
    f"r.{name}::text as {name}" if kind == "jsonb" else f"r.{name}" for name, kind in tables.CARD_RUNS.columns.items()
)
_MICROSECOND: Final = timedelta(microseconds=1)


def grown(cursor: Cursor[Any], cards: Sequence[ReportCard]) -> list[tables.Row]:
    """The rows these cards change or add, as they leave them; `cards` in the order of their partitions."""
    hosts = sorted({card.host_id for card in cards})
    with cursor.connection.cursor(row_factory=dict_row) as reading:
        heads = [run_of(row) for row in reading.execute(_HEADS, (hosts,)).fetchall()]
    return [row_of(run) for run in after(heads, cards)]


def after(heads: Iterable[CardRun], cards: Iterable[ReportCard]) -> list[CardRun]:
    """The runs that are other than before, or new, in no order; `heads`: the newest run of each host. Pure."""
    newest = {head.host_id: head for head in heads}
    changed: dict[tuple[UUID, datetime, UUID], CardRun] = {}
    for card in cards:
        run = extended(newest.get(card.host_id), card)
        if run is not None:
            newest[card.host_id] = changed[run.host_id, run.first_at, run.first_scan_id] = run
    return list(changed.values())


def row_of(run: CardRun) -> tables.Row:
    """The run as a row. Pure."""
    return {name: getattr(run, name) for name in tables.CARD_RUNS.columns if name in CardRun.model_fields} | {
        "longest_gap_us": run.longest_gap // _MICROSECOND,
        "known": orjson.Fragment(run.known.model_dump_json(exclude_defaults=True)),
        "course": orjson.Fragment(run.course.model_dump_json(exclude_defaults=True)),
    }


def run_of(row: tables.Row) -> CardRun:
    """The run of a row. Pure."""
    return CardRun.model_validate({**row, "longest_gap": row["longest_gap_us"] * _MICROSECOND})


class Reading:
    """Rows of many runs, `TEXTUAL` columns as text. Pure.

    A host comes back to what it was before: what is known is read once for all its runs that say the same, which also
    keeps the heap small. What PostgreSQL's types promise is not checked again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, str], Knowledge] = {}
        self._peers: dict[str, Peer] = {}

    def run(self, row: tables.Row) -> CardRun:
        """The run of a row."""
        host_id, known, peer = row["host_id"], row["known"], row["peer"]
        if (host_id, known) not in self._known:
            self._known[host_id, known] = Knowledge.model_validate_json(known)
        if peer not in self._peers:
            self._peers[peer] = tuple(orjson.loads(peer))
        gap = row.pop("longest_gap_us") * _MICROSECOND
        return CardRun.model_construct(
            **row
            | {
                "longest_gap": gap,
                "early": tuple(row["early"]),
                "moved": tuple(row["moved"]),
                "peer": self._peers[peer],
                "known": self._known[host_id, known],
                "course": Course.model_validate_json(row["course"]),
            }
        )
