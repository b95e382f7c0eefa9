"""Audit entries as lines of a file. Pure.

CSV (RFC 4180) is opened by spreadsheets: a cell that would begin a formula gets an apostrophe in front.
Source: OWASP, CSV injection.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from vigilo.events.codec import ce_time, encode_value
from vigilo.events.records import AuditEntry

COLUMNS: Final = (
    "sequence",
    "at",
    "actor",
    "action",
    "subject",
    "origin",
    "before",
    "after",
    "previous_hash",
    "hash",
)
_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def ndjson(entries: Sequence[AuditEntry]) -> bytes:
    """One JSON object a line."""
    return b"".join(encode_value(entry) + b"\n" for entry in entries)


def csv_header() -> bytes:
    """The first line."""
    return _rows([COLUMNS])


def csv_rows(entries: Sequence[AuditEntry]) -> bytes:
    """One line per entry; `before` and `after` are JSON in a cell."""
    return _rows([[cell(_text(entry, name)) for name in COLUMNS] for entry in entries])


def cell(text: str) -> str:
    """The text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def _text(entry: AuditEntry, name: str) -> str:
    value: Any = getattr(entry, name)
    if name == "at":
        return ce_time(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "" if value is None else str(value)


def _rows(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8")
