"""Is less than so much of the validity left?

Judged by the clock from the last certificate seen, even while the host cannot be reached: an outage extends nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting.judgement import Judgement, any_of
from vigilo.alerting.knowledge import Knowledge
from vigilo.events.cards import PathCertificate
from vigilo.events.rules import ExpiresInLessThan

# Two instants that differ at all differ by a microsecond: the first one that is "less than" after an equal one.
_INSTANT = timedelta(microseconds=1)


def judge(trigger: ExpiresInLessThan, known: Knowledge | None, at: datetime) -> Judgement:
    """True if any certificate looked at has less left; unknown while none was seen or its end cannot be read."""
    return any_of(_judge_one(trigger, one, at) for one in _looked_at(trigger, known))


def next_change(trigger: ExpiresInLessThan, known: Knowledge | None, at: datetime) -> datetime | None:
    """The first instant after `at` at which another certificate has too little left."""
    instants = (true_from(trigger, one) for one in _looked_at(trigger, known))
    return min((instant for instant in instants if instant is not None and instant > at), default=None)


def first_to_expire(trigger: ExpiresInLessThan, known: Knowledge | None) -> PathCertificate | None:
    """The certificate the answer hangs on: of those looked at, the one whose threshold comes first."""
    dated = [(instant, one) for one in _looked_at(trigger, known) if (instant := true_from(trigger, one)) is not None]
    return min(dated, key=lambda pair: pair[0])[1] if dated else None


def true_from(trigger: ExpiresInLessThan, one: PathCertificate) -> datetime | None:
    """The first instant at which the certificate has less than the threshold left; None if its end is not known."""
    if one.not_after is None:
        return None
    limit = timedelta(days=trigger.days)
    if trigger.share is not None and one.not_before is not None:
        limit = min(limit, (one.not_after - one.not_before) * trigger.share)
    return one.not_after - limit + _INSTANT


def _judge_one(trigger: ExpiresInLessThan, one: PathCertificate, at: datetime) -> Judgement:
    start = true_from(trigger, one)
    if start is None:
        return Judgement.UNKNOWN
    return Judgement.TRUE if at >= start else Judgement.FALSE


def _looked_at(trigger: ExpiresInLessThan, known: Knowledge | None) -> tuple[PathCertificate, ...]:
    path = () if known is None else known.path
    return path if trigger.include == "path" else path[:1]
