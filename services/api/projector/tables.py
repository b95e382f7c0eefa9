"""The tables of the read model and how rows of one key meet. Pure.

Every table has one of few merges, each the same whether two rows meet inside a batch (`folded`) or in the database
(`statement`): so the result does not depend on where batches end. Columns and types repeat the migration
(services/api/migrations/*_read_model.sql); a contract test compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Row = dict[str, Any]


class Merge(StrEnum):
    """What happens when a row comes whose key is already there.

    `first`: the old row stays. `last`: the new row replaces it. `greatest`: the new row replaces it if its `order`
    columns are greater; `greatest_or_equal`: greater or equal. `span`: the columns of workspace_certificates.
    """

    FIRST = "first"
    LAST = "last"
    GREATEST = "greatest"
    GREATEST_OR_EQUAL = "greatest-or-equal"
    SPAN = "span"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `columns` maps names to PostgreSQL types, `key` is its primary key, `order` what merges compare."""

    name: str
    key: tuple[str, ...]
    merge: Merge
    columns: Mapping[str, str]
    order: tuple[str, ...] = ()

    def key_of(self, row: Row) -> tuple[Any, ...]:
        """The row's key."""
        return tuple(row[column] for column in self.key)


SCAN_ORDER: Final = ("requested_at", "scan_id")
_SCAN: Final = {"host_id": "uuid", "workspace_id": "uuid", "requested_at": "timestamptz", "scan_id": "uuid"}
_ALERT: Final = {"alert_id": "uuid", "host_id": "uuid", "workspace_id": "uuid"}
_SOURCE: Final = {"source_partition": "integer", "source_offset": "bigint"}

SNAPSHOTS = Table(
    "snapshots",
    ("host_id", "requested_at", "scan_id"),
    Merge.FIRST,
    {**_SCAN, "outcome": "text", "event": "jsonb", **_SOURCE},
)
REPORT_CARDS = Table(
    "report_cards",
    ("host_id", "requested_at", "scan_id"),
    Merge.LAST,
    {**_SCAN, "outcome": "text", "grade": "text", "event": "jsonb", **_SOURCE},
)
HOST_LATEST = Table(
    "host_latest",
    ("host_id",),
    Merge.GREATEST,
    {
        **_SCAN,
        "finished_at": "timestamptz",
        "depth": "text",
        "outcome": "text",
        "detail": "text",
        "address": "text",
        "tls_version": "text",
        "pool_suspect": "boolean",
    },
    SCAN_ORDER,
)
HOST_CHAINS = Table(
    "host_chains",
    ("host_id",),
    Merge.GREATEST,
    {
        **_SCAN,
        "leaf_sha256": "bytea",
        "leaf_subject": "text",
        "leaf_issuer": "text",
        "leaf_not_before": "timestamptz",
        "leaf_not_after": "timestamptz",
        "chain_sha256": "bytea[]",
    },
    SCAN_ORDER,
)
HOST_REPORT_CARDS = Table(
    "host_report_cards",
    ("host_id",),
    Merge.GREATEST_OR_EQUAL,
    {
        **_SCAN,
        "outcome": "text",
        "grade": "text",
        "posture_grade": "text",
        "chain_valid": "text",
        "chain_reason": "text",
        "name_matches": "text",
        "staple_status": "text",
        "graded_at": "timestamptz",
    },
    SCAN_ORDER,
)
HOST_GRADES = Table(
    "host_grades",
    ("host_id",),
    Merge.GREATEST_OR_EQUAL,
    {**_SCAN, "grade": "text", "rank": "smallint"},
    SCAN_ORDER,
)
CARD_RUNS = Table(
    "card_runs",
    ("host_id", "first_at", "first_scan_id"),
    Merge.LAST,
    {
        **dict.fromkeys(("host_id", "workspace_id", "first_scan_id", "last_scan_id"), "uuid"),
        **dict.fromkeys(("first_at", "last_at"), "timestamptz"),
        **dict.fromkeys(("cards", "host_version"), "integer"),
        **dict.fromkeys(("peer", "known", "course"), "jsonb"),
        "longest_gap_us": "bigint",
        "early": "timestamptz[]",
        "moved": "text[]",
    },
)
CERTIFICATES = Table("certificates", ("sha256",), Merge.FIRST, {"sha256": "bytea", "der": "bytea"})
WORKSPACE_CERTIFICATES = Table(
    "workspace_certificates",
    ("workspace_id", "sha256"),
    Merge.SPAN,
    {
        "workspace_id": "uuid",
        "sha256": "bytea",
        "first_seen_at": "timestamptz",
        "last_seen_at": "timestamptz",
        "last_scan_id": "uuid",
        "last_host_id": "uuid",
    },
    ("last_seen_at", "last_scan_id", "last_host_id"),
)
CERTIFICATE_CHANGES = Table(
    "certificate_changes", ("host_id", "scan_id"), Merge.FIRST, {**_SCAN, "event": "jsonb", **_SOURCE}
)
ALERTS = Table(
    "alerts",
    ("alert_id", "host_id"),
    Merge.GREATEST,
    {
        **_ALERT,
        "rule_id": "uuid",
        "n": "integer",
        "state": "text",
        "severity": "text",
        "opened_at": "timestamptz",
        "at": "timestamptz",
        "event": "jsonb",
    },
    ("n",),
)
ALERT_TRANSITIONS = Table(
    "alert_transitions",
    ("alert_id", "host_id", "n"),
    Merge.FIRST,
    {
        **_ALERT,
        "n": "integer",
        "transition_id": "uuid",
        "kind": "text",
        "at": "timestamptz",
        "event": "jsonb",
        **_SOURCE,
    },
)
DELIVERIES = Table(
    "deliveries",
    ("workspace_id", "delivery_id"),
    Merge.GREATEST,
    {
        **_ALERT,
        **dict.fromkeys(("delivery_id", "channel_id", "transition_id", "digest_id"), "uuid"),
        "status": "text",
        "attempt": "integer",
        "http_status": "integer",
        "error_class": "text",
        "duration_ms": "integer",
        "next_attempt_at": "timestamptz",
        "at": "timestamptz",
        **_SOURCE,
    },
    ("at", "attempt"),
)
WORK_ITEMS = Table(
    "work_items",
    ("workspace_id", "item_id"),
    Merge.GREATEST,
    {
        "workspace_id": "uuid",
        "item_id": "uuid",
        "version": "integer",
        "status": "text",
        "kind": "text",
        "title": "text",
        "url": "text",
        "state": "text",
        "host_ids": "uuid[]",
        "updated_at": "timestamptz",
    },
    ("version",),
)

# In the order in which every transaction writes them.
TABLES: Final = (
    SNAPSHOTS,
    HOST_LATEST,
    HOST_CHAINS,
    CERTIFICATES,
    WORKSPACE_CERTIFICATES,
    REPORT_CARDS,
    HOST_REPORT_CARDS,
    HOST_GRADES,
    CARD_RUNS,
    CERTIFICATE_CHANGES,
    ALERT_TRANSITIONS,
    ALERTS,
    DELIVERIES,
    WORK_ITEMS,
)


def folded(table: Table, rows: Iterable[Row]) -> list[Row]:
    """At most one row per key, in key order: what these rows leave behind if they come one after the other.

    Key order, so that two transactions never lock the same rows in opposite orders.
    """
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = table.key_of(row)
        kept[key] = _met(table, kept[key], row) if key in kept else row
    return [kept[key] for key in sorted(kept)]


def _met(table: Table, old: Row, new: Row) -> Row:
    match table.merge:
        case Merge.FIRST:
            return old
        case Merge.LAST:
            return new
        case Merge.GREATEST:
            return new if _order(table, new) > _order(table, old) else old
        case Merge.GREATEST_OR_EQUAL:
            return new if _order(table, new) >= _order(table, old) else old
        case Merge.SPAN:
            newest = new if _order(table, new) > _order(table, old) else old
            return {**newest, "first_seen_at": min(old["first_seen_at"], new["first_seen_at"])}


def _order(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in table.order)


def statement(table: Table) -> str:
    """The SQL that writes rows, given as one JSON array of objects with the names of the columns."""
    columns = ", ".join(table.columns)
    shape = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
    return (
        f"insert into {table.name} as old ({columns}) "
        f"select {columns} from jsonb_to_recordset(%s::jsonb) as given({shape}) "
        f"on conflict ({', '.join(table.key)}) {_on_conflict(table)}"
    )


def _on_conflict(table: Table) -> str:
    changed = [column for column in table.columns if column not in table.key]
    replaced = "do update set " + ", ".join(f"{column} = excluded.{column}" for column in changed)
    old, new = (", ".join(f"{side}.{column}" for column in table.order) for side in ("old", "excluded"))
    match table.merge:
        case Merge.FIRST:
            return "do nothing"
        case Merge.LAST:
            return replaced
        case Merge.GREATEST:
            return f"{replaced} where ({new}) > ({old})"
        case Merge.GREATEST_OR_EQUAL:
            return f"{replaced} where ({new}) >= ({old})"
        case Merge.SPAN:
            newest = ", ".join(f"case when ({new}) > ({old}) then excluded.{c} else old.{c} end" for c in table.order)
            return (
                f"do update set first_seen_at = least(old.first_seen_at, excluded.first_seen_at), "
                f"({', '.join(table.order)}) = row({newest}) "
                f"where ({new}) > ({old}) or excluded.first_seen_at < old.first_seen_at"
            )
