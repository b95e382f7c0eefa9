"""Is the report card's letter worse than this?

A scan without a letter says nothing. A provisional letter rests on a handshake alone, and what an enumeration finds can
only lower it: it says something once it is already worse.
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View
from vigilo.events.cards import Grade
from vigilo.events.help import Help
from vigilo.events.triggers import GradeBelow


def judge(trigger: GradeBelow, view: View, at: datetime) -> Judgement:
    """By rank; unknown without a letter, and for a provisional one that is still good enough."""
    known = view.known
    if known is None or known.grade is None:
        return Judgement.UNKNOWN
    if known.grade.rank > trigger.grade.rank:
        return Judgement.TRUE
    return Judgement.UNKNOWN if known.provisional else Judgement.FALSE


def _matter(trigger: GradeBelow, view: View, at: datetime) -> str:
    grade = None if view.known is None else view.known.grade
    return f"grade {grade}, below {trigger.grade}" if grade else f"grade below {trigger.grade}"


def _cleared(trigger: GradeBelow, view: View, at: datetime) -> str:
    grade = None if view.known is None else view.known.grade
    return f"grade {grade}, not below {trigger.grade}" if grade else f"grade not below {trigger.grade}"


def _help(trigger: GradeBelow, view: View) -> Help:
    return Help.GRADE_F if view.known is not None and view.known.grade is Grade.F else Help.GRADE_BELOW


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=_help)
