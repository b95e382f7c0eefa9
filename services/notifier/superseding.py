"""Which deliveries of one alert on one channel are not sent after all, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notifier.channels.traits import Traits
from services.notifier.records import Row
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import DeliveryStatus

OVERTAKEN = "overtaken"  # what it says is over before it was sent
NEVER_TOLD = "open-never-received"  # it follows an open that nobody there got
NEVER_PAGES = "rulebook-never-pages"  # only the judgement is new, the host is as it was
RULEBOOK = "rulebook"
_OPENED, _CLOSED = TransitionKind.OPENED.value, TransitionKind.CLOSED.value
_REMINDER = TransitionKind.REMINDER.value
_STATES = (_OPENED, _CLOSED)
_PAGING = (_OPENED, TransitionKind.NOTICE.value)
_FOLLOWING = (_CLOSED, TransitionKind.ACKNOWLEDGED.value, _REMINDER)


def superseded(rows: Sequence[Row], traits: Traits, *, at: datetime) -> dict[UUID, str]:
    """Reasons by delivery id. `rows` are all deliveries of one alert on one channel, finished ones included, by n.

    What may have been received is never in it: its close must be sent. Only a delivery that somebody asked for again
    can be overtaken by what came after it and may have been received before.
    """
    skipped: dict[UUID, str] = {}
    for row in rows:
        if traits.pages and row.unsent and row.kind in _PAGING and row.cause == RULEBOOK:
            skipped[row.delivery_id] = NEVER_PAGES
        elif traits.supersedes and _overtaken(row, rows, at):
            skipped[row.delivery_id] = OVERTAKEN
    for row in rows:
        if row.unsent and not row.asked_again and row.kind in _FOLLOWING and not _told_before(row, rows, skipped):
            skipped.setdefault(row.delivery_id, NEVER_TOLD)
    return skipped


def _overtaken(row: Row, rows: Sequence[Row], at: datetime) -> bool:
    if row.asked_again:
        # Sent again now, an open whose close was told would open an incident that nobody closes.
        idle = row.unfinished and not row.carried and not row.under_way(at)
        return idle and any(other.n > row.n and other.kind in _STATES for other in rows)
    if not row.unsent:
        return False
    by = {other.kind for other in rows if other.n > row.n}
    if row.kind == _REMINDER:
        return bool(by)
    return _CLOSED in by if row.kind != _CLOSED else _OPENED in by


def _told_before(row: Row, rows: Sequence[Row], skipped: dict[UUID, str]) -> bool:
    """True if the receiver may know of the open, or will before this row's turn."""
    return any(
        other.kind == _OPENED
        and other.n < row.n
        and (other.maybe_received or other.status == DeliveryStatus.DELIVERED or other.unfinished)
        and (other.maybe_received or other.delivery_id not in skipped)
        for other in rows
    )
