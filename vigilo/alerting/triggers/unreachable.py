"""Did no connection, or no answer, come from the host?"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers.meetings import meeting
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.help import Help
from vigilo.events.triggers import Unreachable


def judge(trigger: Unreachable, view: View, at: datetime) -> Judgement:
    """By the table in vigilo.alerting.triggers.meetings."""
    return meeting(view).unreachable


def _matter(trigger: Unreachable, view: View, at: datetime) -> str:
    met = meeting(view)
    return f"unreachable: {met.words}" if met.unreachable is Judgement.TRUE else "unreachable"


def _cleared(trigger: Unreachable, view: View, at: datetime) -> str:
    met = meeting(view)
    # An alert that closes is followed by a look at what came instead: a port that answers in the clear is no recovery.
    return f"reachable ({met.words})" if met.unreachable is Judgement.FALSE else "reachable"


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=helped_by(Help.UNREACHABLE))
