"""Is less than so much of the validity left?

Judged by the clock from the last certificate seen, even while the host cannot be reached: an outage extends nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting.judgement import Judgement, any_of
from vigilo.alerting.spans import span
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.cards import PathCertificate
from vigilo.events.help import Help
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ExpiresInLessThan

# Two instants that differ at all differ by a microsecond: the first one that is "less than" after an equal one.
_INSTANT = timedelta(microseconds=1)


def judge(trigger: ExpiresInLessThan, view: View, at: datetime) -> Judgement:
    """True if any certificate looked at has less left; unknown while none was seen or its end cannot be read."""
    return any_of(_judge_one(trigger, one, at) for one in _looked_at(trigger, view))


def next_change(trigger: ExpiresInLessThan, view: View, at: datetime) -> datetime | None:
    """The first instant at which a certificate has too little left; none once one has, for time mends nothing."""
    instants = (true_from(trigger, one) for one in _looked_at(trigger, view))
    first = min((instant for instant in instants if instant is not None), default=None)
    return first if first is not None and first > at else None


def first_to_expire(trigger: ExpiresInLessThan, view: View) -> PathCertificate | None:
    """The certificate the answer hangs on: of those looked at, the one whose threshold comes first."""
    dated = [(instant, one) for one in _looked_at(trigger, view) if (instant := true_from(trigger, one)) is not None]
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


def _looked_at(trigger: ExpiresInLessThan, view: View) -> tuple[PathCertificate, ...]:
    path = () if view.known is None else view.known.path
    return path if trigger.include == "path" else path[:1]


def _matter(trigger: ExpiresInLessThan, view: View, at: datetime) -> str:
    one = first_to_expire(trigger, view)
    if one is None or one.not_after is None:
        return f"certificate expires in less than {trigger.days:g} days"
    # Which one matters only if it is not the host's own.
    which = "certificate" if one is view.leaf else f"intermediate certificate ({one.subject})"
    return f"{which} {_expiry(one.not_after, at)}{_not_seen_since(view)}"


def _cleared(trigger: ExpiresInLessThan, view: View, at: datetime) -> str:
    one = first_to_expire(trigger, view)
    return f"certificate {_expiry(one.not_after, at)}" if one and one.not_after else "enough of its life is left"


def _certificate(trigger: ExpiresInLessThan, view: View) -> PathCertificate | None:
    return first_to_expire(trigger, view) or view.leaf


def _not_seen_since(view: View) -> str:
    if view.known is None or view.known.outcome is Outcome.OK:
        return ""
    return f", as last seen (the last scan: {MEETINGS[view.known.outcome].words})"


def _expiry(not_after: datetime, at: datetime) -> str:
    left = not_after - at
    verb = "expired" if left < timedelta(0) else "expires"
    return f"{verb} {span(left)} ({not_after:%Y-%m-%d %H:%M} UTC)"


QUESTION = Question(
    judge=judge,
    matter=_matter,
    cleared=_cleared,
    help=helped_by(Help.EXPIRED_THOUGH_RENEWED),
    next_change=next_change,
    certificate=_certificate,
)
