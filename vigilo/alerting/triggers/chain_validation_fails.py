"""Does the chain as served fail to validate?

The grader's verdict of the last scan; a scan that saw no chain says nothing, nor does one whose chain nobody could
judge (too complex, unreadable).
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Knowledge
from vigilo.events.cards import TrustReason, Verdict
from vigilo.events.rules import ChainValidationFails

_NOT_JUDGED = frozenset({TrustReason.TOO_COMPLEX, TrustReason.UNREADABLE})


def judge(trigger: ChainValidationFails, known: Knowledge | None, at: datetime) -> Judgement:
    """The verdict turned round: valid is false."""
    if known is None or known.pool_suspect or known.chain_reason in _NOT_JUDGED:
        return Judgement.UNKNOWN
    match known.chain_valid:
        case Verdict.YES:
            return Judgement.FALSE
        case Verdict.NO:
            return Judgement.TRUE
        case Verdict.UNKNOWN:
            return Judgement.UNKNOWN


def next_change(trigger: ChainValidationFails, known: Knowledge | None, at: datetime) -> datetime | None:
    """None: a certificate may have been replaced meanwhile, so nobody is told before somebody looked."""
    return None
