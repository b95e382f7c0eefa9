"""Has nobody performed a scan of the host for so many of its intervals?

Silence is not health: this is the one question that no scan can answer with "true". It is judged by the clock, from the
last scan that somebody performed, whatever it found; a scan that no scanner took, or that our own rules forbade, was
performed by nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.spans import length
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.help import Help
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ScanOverdue

_NOT_PERFORMED = frozenset({Outcome.NOT_PERFORMED, Outcome.DENIED})


def judge(trigger: ScanOverdue, view: View, at: datetime) -> Judgement:
    """True from the instant on at which the last one is too old.

    Unknown where nothing tells since when to count, and while we ourselves may merely not have heard of a scan yet
    (Course.excused_until): that opens no alert, and closes none.
    """
    due = overdue_from(trigger, view)
    if due is None:
        return Judgement.UNKNOWN
    if at < due:
        return Judgement.FALSE
    return Judgement.UNKNOWN if _is_excused(view, at) else Judgement.TRUE


def next_change(trigger: ScanOverdue, view: View, at: datetime) -> datetime | None:
    """The instant at which a scan becomes overdue, if it is not; while excused, the end of that."""
    due = overdue_from(trigger, view)
    if due is None:
        return None
    if at < due:
        return due
    return view.course.excused_until if _is_excused(view, at) else None


def overdue_from(trigger: ScanOverdue, view: View) -> datetime | None:
    """The first instant at which a scan is overdue, if none is performed until then."""
    since = _since(view)
    return None if since is None else since + _allowed(trigger, view)


def _is_excused(view: View, at: datetime) -> bool:
    excused = view.course.excused_until
    return excused is not None and at < excused


def _since(view: View) -> datetime | None:
    known = (view.course.performed_at, view.course.watched_since)
    return max((instant for instant in known if instant is not None), default=None)


def _allowed(trigger: ScanOverdue, view: View) -> timedelta:
    return view.host.interval.length * trigger.intervals


def _matter(trigger: ScanOverdue, view: View, at: datetime) -> str:
    last = view.course.performed_at
    if last is None:
        return f"no scan was performed yet (due {_every(view)})"
    why = "" if view.known is None or view.known.outcome not in _NOT_PERFORMED else _why(view.known.outcome)
    return f"no scan for {length(at - last)} (due {_every(view)}, last {last:%Y-%m-%d %H:%M} UTC{why})"


def _every(view: View) -> str:
    return f"every {view.host.interval}"


def _why(outcome: Outcome) -> str:
    return f", since then: {MEETINGS[outcome].words}"


def _cleared(trigger: ScanOverdue, view: View, at: datetime) -> str:
    last = view.course.performed_at
    return "scans are performed" if last is None else f"scanned again ({last:%Y-%m-%d %H:%M} UTC)"


QUESTION = Question(
    judge=judge, matter=_matter, cleared=_cleared, next_change=next_change, help=helped_by(Help.SCAN_OVERDUE)
)
