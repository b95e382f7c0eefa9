"""One question of a posture check: what is offered, what is expected, and what another answer means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import suite_name


class Sureness(IntEnum):
    """How much a surprise proves: nothing; a change, unless the server has stopped answering; a change."""

    SILENT = 0
    PERHAPS = 1
    CERTAIN = 2


@dataclass(frozen=True, slots=True)
class Surprise:
    """An answer other than expected, in words."""

    what: str
    sureness: Sureness


@dataclass(frozen=True, slots=True)
class Pick:
    """An offer of which the server must choose `suite`, and one of `groups` if it names any and some are given."""

    offer: Offer
    suite: int
    groups: frozenset[int] = frozenset()

    def judge(self, answer: Answer) -> Surprise | None:
        """None when the answer is as before."""
        version, expected = code.VERSION_NAMES[self.offer.version], suite_name(self.suite)
        match answer:
            case Chosen(suite=suite) if suite != self.suite:
                return Surprise(f"{version}: {suite_name(suite)} instead of {expected}", Sureness.CERTAIN)
            case Chosen(group=int() as group) if self.groups and group not in self.groups:
                return Surprise(f"{version}: agrees on {code.group_name(group)}", Sureness.CERTAIN)
            case Chosen():
                return None
            case Refused(older_version=int()):
                return Surprise(f"{version} is no longer spoken", Sureness.CERTAIN)
            case Unclear(silent=True, reason=reason):
                return Surprise(f"{version}: {reason}", Sureness.SILENT)
            case _:
                return Surprise(f"{version}: {expected} is no longer taken", Sureness.PERHAPS)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An offer that the server must refuse.

    `older` are versions it may fall back to; a choice of one of the `groups` is a refusal of all the others. Only one
    of the `alerts` will do, where there are any; else hanging up is a refusal too.
    """

    offer: Offer
    older: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    alerts: frozenset[int] = frozenset()

    def judge(self, answer: Answer) -> Surprise | None:
        """None when the answer is as before."""
        version = code.VERSION_NAMES[self.offer.version]
        match answer:
            case Chosen(group=int() as group) if group in self.groups:
                return None
            case Chosen(suite=suite, group=group):
                named = "" if group is None else f" with {code.group_name(group)}"
                return Surprise(f"{version}: takes {suite_name(suite)}{named} now", Sureness.CERTAIN)
            case Refused(older_version=int() as older) if older not in self.older:
                return Surprise(f"answers {version} in {code.VERSION_NAMES[older]}", Sureness.CERTAIN)
            case Unclear(silent=True, reason=reason):
                return Surprise(f"{version}: {reason}", Sureness.SILENT)
        return None if self._is_refused_by(answer) else Surprise(f"{version}: refuses otherwise", Sureness.PERHAPS)

    def _is_refused_by(self, answer: Answer) -> bool:
        if self.alerts:
            return isinstance(answer, Refused) and answer.alert in self.alerts
        return isinstance(answer, Refused) or (isinstance(answer, Unclear) and answer.left)


Probe = Pick | Refusal
