"""Why a rule has, or has not, an alert at a host now. Pure: the answer of the code that runs live, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from pydantic import BaseModel

from vigilo.alerting import threshold
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.judging import question_mark
from vigilo.alerting.lifecycle import AlertState, Phase
from vigilo.alerting.replay import History, Watched, Window, present, resumed
from vigilo.alerting.runs import CardRun
from vigilo.alerting.scope import in_scope
from vigilo.alerting.triggers.meetings import MEETINGS
from vigilo.alerting.view import View
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.rules import AlertRule, TaggedHosts
from vigilo.events.scans import Outcome
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    GradeBelow,
    NameMismatch,
    OcspStaplingStops,
    ProtocolBelow,
    ScanOverdue,
    WeakKey,
)


class Decider(StrEnum):
    """What decides: the first of these that applies."""

    HOST_PAUSED = "host-paused"
    RULE_DISABLED = "rule-disabled"
    OUT_OF_SCOPE = "out-of-scope"
    NOTICE = "notice"
    NOT_APPLICABLE = "not-applicable"
    NO_SCAN = "no-scan"
    CLEARING = "clearing"
    PENDING = "pending"
    SUPPRESSED = "suppressed"
    OPEN = "open"
    UNKNOWN = "unknown"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Silence:
    """A snooze that runs: of the host, of the rule or of a tag."""

    kind: str
    until: datetime
    reason: str = ""
    by: str = ""
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the answer rests on. `last`: the newest transition of this rule at this host; `runs` since then.

    `blocks`: cards of these without a gap between them, beyond the runs' own. `watched` is None for a host that was
    only ever added.
    """

    rule: AlertRule
    host: Host
    run: CardRun | None
    at: datetime
    silences: Sequence[Silence] = ()
    last: AlertTransition | None = None
    runs: Sequence[CardRun] = ()
    blocks: Sequence[Sequence[datetime]] = ()
    watched: Watched | None = None

    @property
    def history(self) -> History:
        """What is known since the newest transition."""
        return History(self.runs, self.blocks, watched=self.watched)

    @property
    def view(self) -> View:
        """What the trigger looks at."""
        return present(self.host, self.run, self.watched)


@dataclass(frozen=True, slots=True)
class Counting:
    """So many of the answers that must come one after the other have come."""

    count: int
    needed: int


@dataclass(frozen=True, slots=True)
class Why:
    """The answer. `changes_at`: when time alone will change it."""

    decider: Decider
    answer: Judgement
    in_scope: bool
    changes_at: datetime | None
    counting: Counting | None
    sentence: str


def why(case: Case) -> Why:
    """Why there is an alert, or none."""
    view, trigger = case.view, case.rule.trigger
    asked = threshold.question(trigger)
    answer = asked.judge(trigger, view, case.at)
    counting = _counting(case)
    decider = _decider(case, answer)
    changes_at = asked.next_change(trigger, view, case.at)
    words = f"{case.host.hostname}:{case.host.port}, {case.rule.name!r} version {case.rule.version}: "
    sentence = words + _told(case, decider, answer, counting)
    if changes_at is not None and decider in {Decider.ANSWER, Decider.UNKNOWN}:
        sentence += f" Unless a scan tells otherwise, that changes at {_instant(changes_at)}."
    return Why(decider, answer, in_scope(case.rule, case.host), changes_at, counting, sentence)


def _decider(case: Case, answer: Judgement) -> Decider:
    rule, view = case.rule, case.view
    checks = (
        (case.host.status is not HostStatus.ACTIVE, Decider.HOST_PAUSED),
        (not rule.enabled, Decider.RULE_DISABLED),
        (not in_scope(rule, case.host), Decider.OUT_OF_SCOPE),
        (isinstance(rule.trigger, CertificateChanged), Decider.NOTICE),
        (not threshold.question(rule.trigger).applicable(rule.trigger, view), Decider.NOT_APPLICABLE),
    )
    settled = next((decider for applies, decider in checks if applies), None)
    if settled is not None:
        return settled
    alive = _ALIVE.get(case.last.kind) if case.last is not None else None
    if alive is not None:
        return alive
    if answer is Judgement.UNKNOWN:
        return Decider.NO_SCAN if view.known is None else Decider.UNKNOWN
    return Decider.ANSWER


_ALIVE = {
    TransitionKind.PENDING: Decider.PENDING,
    TransitionKind.CLEARING: Decider.CLEARING,
    TransitionKind.SUPPRESSED: Decider.SUPPRESSED,
    TransitionKind.OPENED: Decider.OPEN,
    TransitionKind.ACKNOWLEDGED: Decider.OPEN,
    TransitionKind.REMINDER: Decider.OPEN,
}
_PLAIN = {
    Decider.HOST_PAUSED: "no alert, because the host is paused and no rule looks at it.",
    Decider.RULE_DISABLED: "no alert, because the rule is disabled.",
    Decider.NOTICE: "it tells of a change of certificate when one is seen, and keeps no alert open.",
    Decider.NOT_APPLICABLE: "no alert, because the question makes no sense for what the host serves.",
}
_BY = {
    "scan": "by a scan",
    "time": "by the clock",
    "host": "by a change of the host",
    "rule": "by a change of rules or snoozes",
    "command": "by a person",
    "change": "by a change of certificate",
    "rulebook": "by another rulebook or trust store",
}


def told_last(last: AlertTransition) -> str:
    """The alert's last transition in a sentence."""
    by = _BY.get(last.cause, f"by {last.cause}")
    return (
        f"{last.summary} ({last.kind} {by} at {_instant(last.at)}, version {last.rule.version} of {last.rule.name!r})."
    )


def _told(case: Case, decider: Decider, answer: Judgement, counting: Counting | None) -> str:
    if decider in _PLAIN:
        return _PLAIN[decider]
    if decider is Decider.OUT_OF_SCOPE:
        return _outside(case)
    if decider in {Decider.UNKNOWN, Decider.NO_SCAN}:
        return f"no alert, because {_unsaid(case)}. What is unknown opens and closes nothing."
    state = _state(case, decider, answer, counting)
    if answer is Judgement.UNKNOWN:
        said = f"{_unsaid(case)}, so it stays as it is"
    else:
        question = threshold.question(case.rule.trigger)
        words = question.matter if answer is Judgement.TRUE else question.cleared
        said = words(case.rule.trigger, case.view, case.at)
    silenced = f" Snoozed{_until(case)}." if case.silences and decider is not Decider.SUPPRESSED else ""
    return f"{state}: {said}.{silenced}"


def _state(case: Case, decider: Decider, answer: Judgement, counting: Counting | None) -> str:
    counted = f", {counting.count} of {counting.needed} answers in a row" if counting is not None else ""
    since = f" since {_instant(case.last.opened_at)}" if case.last is not None else ""
    yet = "its condition is met, but no alert is known yet" if answer is Judgement.TRUE else "no alert"
    return {
        Decider.PENDING: f"pending{since}{counted}",
        Decider.CLEARING: f"open{since} and clearing{counted}",
        Decider.SUPPRESSED: f"snoozed{_until(case)}",
        Decider.OPEN: f"open{since}",
    }.get(decider, yet)


def _outside(case: Case) -> str:
    match case.rule.scope:
        case TaggedHosts(tag=tag):
            own = ", ".join(case.host.tags)
            has = f"is tagged {own}" if own else "has no tags"
            return f"no alert, because the rule looks at hosts tagged {tag}, and this one {has}."
        case _:
            return "no alert, because the rule looks at one other host."


def _unsaid(case: Case) -> str:
    """Why the answer is unknown."""
    known, excused = case.view.known, case.view.course.excused_until
    if isinstance(case.rule.trigger, ScanOverdue) and excused is not None:
        return f"Vigilo was away, and waits for scans until {_instant(excused)}"
    if known is None:
        return "the host has not been scanned " + ("yet" if case.run is None else "since it was changed or resumed")
    if known.pool_suspect:
        return "the last scan tells nothing (the scanner's own network was suspect)"
    if known.outcome is not Outcome.OK:
        return f"the last scan does not tell ({MEETINGS[known.outcome].words})"
    return (
        f"the last scan does not tell ({_WANTING.get(type(case.rule.trigger), 'no certificate with an end was seen')})"
    )


# What a scan that spoke TLS leaves open.
_WANTING: Mapping[type[BaseModel], str] = MappingProxyType(
    {
        GradeBelow: "it brought no grade",
        ChainValidationFails: "the chain could not be judged",
        NameMismatch: "the names could not be compared",
        OcspStaplingStops: "nobody asked for a staple, or none was ever seen",
        ProtocolBelow: "old versions of TLS were not tried yet",
        WeakKey: "the key or signature could not be read",
    }
)


def _until(case: Case) -> str:
    if not case.silences:
        return ""
    last = max(case.silences, key=lambda one: one.until)
    of = {"host": "the host", "rule": "the rule"}.get(last.kind, f"the tag {last.tag}")
    by, reason = f" by {last.by}" if last.by else "", f" ({last.reason})" if last.reason else ""
    return f" ({of}) until {_instant(last.until)}{by}{reason}"


def _counting(case: Case) -> Counting | None:
    """How far confirmation has come, as far as the cards that are known tell.

    The answer that made an alert pending, or began to clear it, is the first. Once the rule asks another question,
    counting begins anew with the answer it gives at that instant.
    """
    last, rule = case.last, case.rule
    if last is None or last.kind not in {TransitionKind.PENDING, TransitionKind.CLEARING}:
        return None
    pending = last.kind is TransitionKind.PENDING
    needed = rule.open_after if pending else rule.close_after
    asked = question_mark(rule.trigger)
    same_question = question_mark(last.rule.trigger) == asked
    before = AlertState(
        phase=Phase.PENDING if pending else Phase.OPEN,
        episode=last.episode,
        count=1,
        asked=asked,
        alert_id=last.alert_id,
        n=last.n,
        opened_at=last.opened_at,
    )
    since = last.at if same_question else max(last.at, rule.updated_at)
    after = resumed(rule, case.host, case.history, before, Window(since, case.at))
    # Beyond that the alerter's own next transition is on its way.
    same = after.phase is before.phase
    return Counting(min(after.count, needed) if same else needed, needed)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
