"""Does the chain as served fail to validate?

The grader's verdict of the last scan; a scan that saw no chain says nothing, nor does one whose chain nobody could
judge (too complex, unreadable).
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View
from vigilo.events.cards import TrustReason, Verdict
from vigilo.events.help import BY_REASON, Help
from vigilo.events.triggers import ChainValidationFails

_NOT_JUDGED = frozenset({TrustReason.TOO_COMPLEX, TrustReason.UNREADABLE})


def judge(trigger: ChainValidationFails, view: View, at: datetime) -> Judgement:
    """The verdict turned round: valid is false."""
    known = view.known
    if known is None or known.pool_suspect or known.chain_reason in _NOT_JUDGED:
        return Judgement.UNKNOWN
    match known.chain_valid:
        case Verdict.YES:
            return Judgement.FALSE
        case Verdict.NO:
            return Judgement.TRUE
        case Verdict.UNKNOWN:
            return Judgement.UNKNOWN


def _matter(trigger: ChainValidationFails, view: View, at: datetime) -> str:
    known = view.known
    reason, detail = ("", "") if known is None else (str(known.chain_reason or ""), str(known.chain_detail or ""))
    # Details often begin with the reason in the same words; nobody needs to read it twice.
    told = [detail] if reason and detail.startswith(reason) else [part for part in (reason, detail) if part]
    why = f" ({': '.join(told)})" if told else ""
    return f"chain validation fails{why}"


def _cleared(trigger: ChainValidationFails, view: View, at: datetime) -> str:
    return "the chain validates"


def _help(trigger: ChainValidationFails, view: View) -> Help:
    reason = None if view.known is None else view.known.chain_reason
    return Help.TRUST_NOT_KNOWN if reason is None else BY_REASON[reason]


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=_help)
