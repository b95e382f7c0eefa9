"""Places in lists that are sorted by time, newest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from services.api.pagination import decode_cursor, encode_cursor
from services.api.problems import invalid

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """After the row with this time and id."""

    at: datetime
    id: UUID


def place_of(cursor: str | None) -> Place | None:
    """The place in the cursor; None without one. Raises a 422 problem."""
    key = decode_cursor(cursor, (int, UUID))
    if key is None:
        return None
    try:
        return Place(_EPOCH + key[0] * _MICROSECOND, key[1])
    except OverflowError:
        allowed = "`next` of a page of this list"
        raise invalid("cursor", "this cursor was not given out here", allowed, location="query") from None


def page_of(rows: Sequence[T], limit: int, place: Callable[[T], Place]) -> tuple[Sequence[T], str | None]:
    """The first `limit` rows, and the cursor of what follows them; ask the database for one row more."""
    if len(rows) <= limit:
        return rows, None
    last = place(rows[limit - 1])
    return rows[:limit], encode_cursor(((last.at - _EPOCH) // _MICROSECOND, last.id))
