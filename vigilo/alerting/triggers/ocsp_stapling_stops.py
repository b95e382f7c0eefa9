"""Has a host that stapled a good OCSP response stopped doing so, though its certificate still asks for one?

What counts as stopped: none is stapled, or one that no client can use (expired, invalid, or the responder does not know
the certificate). `revoked` is an answer of the CA that the server passes on as it should: chain validation fails of it,
and this question says nothing. A certificate that names no responder and need not be stapled makes the question idle.

Once stopped, a host has stopped until it staples again, however long that takes: the 30 days are counted between the
last good staple and the first scan without one (Course.staple_stopped_at), so no alert closes, and no snooze ends in
silence, merely because time went by.
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.facts import StapleStatus
from vigilo.events.help import Help
from vigilo.events.triggers import OcspStaplingStops

_STOPPED = {
    StapleStatus.NOT_STAPLED: "none is stapled",
    StapleStatus.EXPIRED: "the stapled response has expired",
    StapleStatus.INVALID: "the stapled response is invalid",
    StapleStatus.UNKNOWN: "the responder does not know the certificate",
}


def judge(trigger: OcspStaplingStops, view: View, at: datetime) -> Judgement:
    """True while it has stopped; false with a good staple, or where there was none within 30 days before."""
    known = view.known
    if known is None or known.staple_status is None or known.staple_wanted is None:
        return Judgement.UNKNOWN
    if known.staple_status is StapleStatus.GOOD or not known.staple_wanted:
        return Judgement.FALSE
    if known.staple_status not in _STOPPED:
        return Judgement.UNKNOWN
    return Judgement.FALSE if view.course.staple_stopped_at is None else Judgement.TRUE


def applicable(trigger: OcspStaplingStops, view: View) -> bool:
    """False for a certificate that was seen to want no staple. A scan that saw none changes nothing."""
    return view.known is None or view.known.staple_wanted is not False


def _matter(trigger: OcspStaplingStops, view: View, at: datetime) -> str:
    known, good_at = view.known, view.course.staple_good_at
    status = None if known is None else known.staple_status
    how = f" ({_STOPPED[status]})" if status in _STOPPED else ""
    last = "" if good_at is None else f", last good {good_at:%Y-%m-%d %H:%M} UTC"
    return f"OCSP stapling stopped{how}{last}"


def _cleared(trigger: OcspStaplingStops, view: View, at: datetime) -> str:
    status = None if view.known is None else view.known.staple_status
    return "a good OCSP response is stapled" if status is StapleStatus.GOOD else "OCSP stapling did not stop lately"


QUESTION = Question(
    judge=judge, matter=_matter, cleared=_cleared, applicable=applicable, help=helped_by(Help.STAPLING_STOPPED)
)
