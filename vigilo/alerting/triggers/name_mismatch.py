"""Is the certificate for another name than the one that was asked for (RFC 9525 section 6)?"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.cards import Verdict
from vigilo.events.help import Help
from vigilo.events.triggers import NameMismatch

_ANSWERS = {
    Verdict.YES: Judgement.FALSE,
    Verdict.NO: Judgement.TRUE,
    Verdict.UNKNOWN: Judgement.UNKNOWN,
}
_NAMES_SAID = 2


def judge(trigger: NameMismatch, view: View, at: datetime) -> Judgement:
    """The grader's verdict turned round: matches is false."""
    return Judgement.UNKNOWN if view.known is None else _ANSWERS[view.known.name_matches]


def _matter(trigger: NameMismatch, view: View, at: datetime) -> str:
    return f"the certificate is not for {_asked(view)}{_names(view)}"


def _cleared(trigger: NameMismatch, view: View, at: datetime) -> str:
    return f"the certificate is for {_asked(view)}"


def _asked(view: View) -> str:
    return view.host.sni or view.host.hostname


def _names(view: View) -> str:
    known = view.known
    if known is None or not known.names:
        return ""
    said = known.names[:_NAMES_SAID]
    more = max(known.names_count, len(known.names)) - len(said)
    return f", but for {', '.join(said)}" + (f" and {more} more" if more > 0 else "")


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=helped_by(Help.NAME_MISMATCH))
