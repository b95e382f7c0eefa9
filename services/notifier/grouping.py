"""What goes out together: single deliveries, and digests of many that have one cause. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.notifier.records import Row
from services.notifier.superseding import RULEBOOK
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind

_DIGESTED: Final = (TransitionKind.OPENED.value, TransitionKind.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Unit:
    """One message: of one delivery, or a digest of several. Members in the order in which they were entered."""

    members: tuple[Row, ...]

    @property
    def digest_id(self) -> UUID | None:
        """The digest's delivery id; None for a single delivery."""
        return ids.digest_id(row.delivery_id for row in self.members) if len(self.members) > 1 else None

    @property
    def position(self) -> int:
        """Its place in the order."""
        return self.members[0].position

    @property
    def next_attempt_at(self) -> datetime | None:
        """When the first of its members wants to be sent."""
        return min((row.next_attempt_at for row in self.members if row.next_attempt_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Grouped:
    """`units` may be sent now, in order. `collecting` wait until the instant beside them, for more of their kind."""

    units: tuple[Unit, ...]
    collecting: tuple[tuple[Row, datetime], ...] = ()


def grouped(
    rows: Sequence[Row], *, digests: bool, at: datetime, least: int, collect: timedelta, impatient: bool = False
) -> Grouped:
    """Units of the rows whose turn it is, in the order of their entry.

    Those with one rule and kind go out together from `least` on; those that only a new rulebook caused are collected
    for `collect` and go out together from two on. `impatient`: rows whose next attempt is not due are taken as well.
    """
    ready = sorted((row for row in rows if impatient or row.due(at) or _collected(row)), key=lambda row: row.position)
    if not digests:
        return Grouped(tuple(Unit((row,)) for row in ready if impatient or row.due(at)))
    groups: dict[object, list[Row]] = {}
    for row in ready:
        groups.setdefault(_key(row), []).append(row)
    units: list[Unit] = []
    collecting: list[tuple[Row, datetime]] = []
    for members in groups.values():
        rulebook = _joins(members[0]) and members[0].cause == RULEBOOK
        until = min(row.entered_at for row in members) + collect
        if rulebook and until > at:
            collecting += [(row, until) for row in members]
        elif len(members) >= (2 if rulebook else least):
            units.append(Unit(tuple(members)))
        else:
            units += [Unit((row,)) for row in members]
    return Grouped(tuple(sorted(units, key=lambda unit: unit.position)), tuple(collecting))


def _key(row: Row) -> object:
    if not _joins(row):
        return row.delivery_id
    return (RULEBOOK, row.kind) if row.cause == RULEBOOK else (row.rule_id, row.kind)


def _joins(row: Row) -> bool:
    """True for what no receiver can have: a digest would tell it twice. What is asked for again is meant to be."""
    return row.kind in _DIGESTED and (not row.maybe_received or row.asked_again)


def _collected(row: Row) -> bool:
    return row.cause == RULEBOOK and _joins(row) and row.step == 0
