"""Keyset pages: a cursor holds the sort key of the last row seen, so nothing is skipped or repeated while rows change.

The cursor is opaque to clients and says nothing they have not seen; row-level security guards what it points to.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from services.api.problems import Problem, invalid

DEFAULT_LIMIT: Final = 50
MOST: Final = 200

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items of one page")]
CursorText = Annotated[
    str | None, Query(max_length=1024, description="`next` of the page before", examples=["WyJhLmV4YW1wbGUiXQ"])
]


class Page(BaseModel, Generic[T]):
    """One page. `next` is the cursor of the page after it; null on the last one."""

    items: list[T]
    next: str | None = Field(None, examples=["WyJhLmV4YW1wbGUiXQ"])


def encode_cursor(key: Sequence[str | int | UUID]) -> str:
    """The cursor that stands for this sort key."""
    return base64.urlsafe_b64encode(json.dumps(list(key), default=str).encode()).decode().rstrip("=")


def decode_cursor(text: str | None, kinds: Sequence[type]) -> tuple[Any, ...] | None:
    """The sort key in the cursor, of exactly these types (str, int, UUID); None without a cursor.

    Raises a 422 problem.
    """
    if text is None:
        return None
    try:
        key = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        json.dumps(key, ensure_ascii=False).encode()  # lone surrogates are no text
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _bad_cursor() from error
    if not isinstance(key, list) or len(key) != len(kinds):
        raise _bad_cursor()
    return tuple(_part(part, kind) for part, kind in zip(key, kinds, strict=True))


def _part(part: object, kind: type) -> object:
    if kind is UUID and isinstance(part, str):
        try:
            return UUID(part)
        except ValueError:
            raise _bad_cursor() from None
    if type(part) is not kind or "\0" in str(part):
        raise _bad_cursor()
    return part


def _bad_cursor() -> Problem:
    return invalid("cursor", "this cursor was not given out here", "`next` of a page of this list", location="query")


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Adds `Link: <...>; rel="next"` (RFC 8288) when there is another page."""
    if cursor is not None:
        following = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
