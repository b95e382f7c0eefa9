"""What becomes of a snooze of a rule or a tag when somebody begins or ends it, or its time is over. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.audit.change import Change
from services.api.models.snoozes import SnoozeToStart
from services.api.problems import Problem, invalid
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.ids import record_id
from vigilo.events.rules import RecordStatus, Snooze

# What is to be quiet for longer should be paused, disabled or deleted.
LONGEST: Final = timedelta(days=366)
# Every alerter holds all snoozes in memory.
MOST: Final = 500


def window(wanted: SnoozeToStart, *, at: datetime) -> tuple[datetime, datetime]:
    """Its beginning and end. Raises a 422 problem for an end that is past, too far away or before the beginning."""
    since = at if wanted.since is None else max(wanted.since, at)
    if since > at + LONGEST:
        raise invalid("since", f"it would begin at {since.isoformat()}", "a beginning within a year from now")
    until = wanted.until or since + (wanted.length or timedelta())
    if not since < until <= at + LONGEST:
        field = "until" if wanted.until else "for"
        allowed = "an end after the beginning and within a year from now"
        raise invalid(field, f"it would end at {until.isoformat()}", allowed)
    return since, until


def add(
    wanted: SnoozeToStart,
    *,
    workspace_id: UUID,
    snooze_id: UUID,
    rule_id: UUID | None = None,
    tag: str | None = None,
    by: str,
    at: datetime,
) -> Snooze:
    """The first version of a snooze. Raises a 422 problem; see `window`."""
    since, until = window(wanted, at=at)
    return Snooze(
        snooze_id=snooze_id,
        workspace_id=workspace_id,
        version=1,
        status=RecordStatus.ACTIVE,
        rule_id=rule_id,
        tag=tag,
        since=since,
        until=until,
        reason=wanted.reason,
        by=by,
    )


def replaced(new: Snooze, present: Sequence[Snooze], *, at: datetime) -> list[Snooze]:
    """Which of the snoozes of the same rule or tag end because `new` begins: those that run, if it begins now.

    What is planned for later stays: windows add up, and the latest end counts.
    """
    return [one for one in present if runs(new, at=at) and runs(one, at=at)]


def runs(snooze: Snooze, *, at: datetime) -> bool:
    """True from its beginning to its end."""
    return snooze.since <= at < snooze.until


def end(snooze: Snooze) -> Snooze:
    """The last version."""
    return snooze.model_copy(update={"version": snooze.version + 1, "status": RecordStatus.DELETED})


def check_room(count: int) -> None:
    """Raises a 409 problem when the workspace has as many as it may have."""
    if count >= MOST:
        detail = f"There are {count} snoozes, as many as a workspace may have; end some of them first."
        raise Problem(409, "too-many-snoozes", detail)


def record(snooze: Snooze, *, at: datetime) -> OutgoingEvent:
    """The event that tells this version."""
    identity = record_id(snooze.snooze_id, snooze.version)
    return OutgoingEvent("snoozes", str(snooze.snooze_id), identity, snooze, at)


def told_start(snooze: Snooze, ended: Sequence[Snooze]) -> Change:
    """What the audit log says of a new one, and of those it replaces."""
    before = {"replaced": [_told(one) for one in ended]} if ended else None
    return Change(f"{_kind(snooze)}.snooze", _subject(snooze), before, _told(snooze))


def told_end(verb: str, snooze: Snooze) -> Change:
    """What the audit log says of one that is over."""
    return Change(f"{_kind(snooze)}.{verb}", _subject(snooze), _told(snooze), None)


def _told(snooze: Snooze) -> dict[str, object]:
    return snooze.model_dump(mode="json", exclude={"workspace_id", "status", "version"}, exclude_none=True)


def _kind(snooze: Snooze) -> str:
    return "tag" if snooze.rule_id is None else "rule"


def _subject(snooze: Snooze) -> str:
    return f"tag:{snooze.tag}" if snooze.rule_id is None else f"rule:{snooze.rule_id}"
