"""Did something answer that does not speak TLS, or refuses STARTTLS?"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers.meetings import meeting
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.help import Help
from vigilo.events.triggers import NotTls


def judge(trigger: NotTls, view: View, at: datetime) -> Judgement:
    """By the table in vigilo.alerting.triggers.meetings."""
    return meeting(view).not_tls


def _matter(trigger: NotTls, view: View, at: datetime) -> str:
    met = meeting(view)
    return f"not TLS: {met.words}" if met.not_tls is Judgement.TRUE else "not TLS"


def _cleared(trigger: NotTls, view: View, at: datetime) -> str:
    return "TLS is spoken"


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=helped_by(Help.NOT_TLS))
