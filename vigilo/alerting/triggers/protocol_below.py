"""Does the host accept a version older than this; or, judged by its best one, is even that older?

Accepted is known from a posture; until there is one, a handshake tells of one version only, which is the best that the
server has of those it was offered (RFC 8446 section 4.1.3, RFC 5246 appendix E.1).
"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.view import Question, View, helped_by
from vigilo.events.help import Help
from vigilo.events.triggers import ProtocolBelow

# Oldest first.
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def judge(trigger: ProtocolBelow, view: View, at: datetime) -> Judgement:
    """Three-valued: a version of which nobody knows whether it is accepted keeps "false" from being said."""
    return _of_best(trigger, view) if trigger.judged == "best" else _of_accepted(trigger, view)


def _of_accepted(trigger: ProtocolBelow, view: View) -> Judgement:
    if _accepted_below(trigger, view):
        return Judgement.TRUE
    rejected = () if view.known is None else view.known.versions_rejected
    return Judgement.FALSE if _older_than(trigger) <= set(rejected) else Judgement.UNKNOWN


def _of_best(trigger: ProtocolBelow, view: View) -> Judgement:
    best = _best(view)
    if best is None:
        return Judgement.UNKNOWN
    return Judgement.TRUE if best in _older_than(trigger) else Judgement.FALSE


def _older_than(trigger: ProtocolBelow) -> frozenset[str]:
    return frozenset(VERSIONS[: VERSIONS.index(trigger.version)])


def _accepted(view: View) -> tuple[str, ...]:
    accepted = () if view.known is None else view.known.versions_accepted
    return tuple(version for version in VERSIONS if version in accepted)


def _accepted_below(trigger: ProtocolBelow, view: View) -> tuple[str, ...]:
    older = _older_than(trigger)
    return tuple(version for version in _accepted(view) if version in older)


def _best(view: View) -> str | None:
    return max(_accepted(view), key=VERSIONS.index, default=None)


def _matter(trigger: ProtocolBelow, view: View, at: datetime) -> str:
    if trigger.judged == "best":
        best = _best(view)
        return f"best version below {trigger.version}" + (f": {best}" if best else "")
    older = _accepted_below(trigger, view)
    return f"{', '.join(older)} accepted, below {trigger.version}" if older else f"versions below {trigger.version}"


def _cleared(trigger: ProtocolBelow, view: View, at: datetime) -> str:
    if trigger.judged == "best":
        best = _best(view)
        return f"best version is {best}" if best else f"best version not below {trigger.version}"
    return f"nothing below {trigger.version} accepted"


QUESTION = Question(judge=judge, matter=_matter, cleared=_cleared, help=helped_by(Help.PROTOCOL_BELOW))
