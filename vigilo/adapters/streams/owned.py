"""A row as a service's shell sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from pydantic import BaseModel

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Row(Generic[S]):
    """One row that this process owns; `side` are its side rows by table, decoded when looked at."""

    key: str
    partition: int
    state: S
    next_at: datetime | None
    side: Mapping[str, BaseModel]


def utc_now() -> datetime:
    """The wall clock, UTC-aware."""
    return datetime.now(UTC)
