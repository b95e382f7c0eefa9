"""A model of the alerter for one host: what a person would keep on paper. It judges by its own few lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from vigilo.events.cards import CertificateChange, Grade, ReportCard, Verdict
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.rules import AlertRule, AllHosts, RecordStatus, Snooze
from vigilo.events.scans import Outcome
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    ScanOverdue,
    Unreachable,
)

LATE = timedelta(minutes=2)
Expected = list[tuple[UUID, str, str]]  # rule, kind, cause


@dataclass
class Paper:
    """One rule at the host."""

    phase: str = "closed"
    count: int = 0
    question: Any = None
    cause: str = ""
    told_at: datetime | None = None
    acknowledged: tuple[str, str | None] | None = None
    alert_id: UUID | None = None
    n: int = 0

    @property
    def up(self) -> bool:
        return self.phase in {"opened", "suppressed"}

    def close(self) -> None:
        self.phase, self.count, self.acknowledged, self.told_at = "closed", 0, None, None


@dataclass
class Model:
    """What the host's alerts should be. `seen`: end of the last leaf; `last`: the last card."""

    papers: dict[UUID, Paper] = field(default_factory=dict)
    record: Host | None = None
    rules: dict[UUID, AlertRule] = field(default_factory=dict)
    snoozes: dict[UUID, Snooze] = field(default_factory=dict)
    seen: datetime | None = None
    last: ReportCard | None = None
    rulebook: str | None = None
    performed: datetime | None = None
    watched: datetime | None = None
    excused: datetime | None = None
    unseen: bool = False  # since it was paused

    # -- what is heard ---------------------------------------------------------------------------------------------

    def host(self, new: Host, at: datetime) -> None:
        old, self.record = self.record, new
        if new.status is HostStatus.ACTIVE:
            same = old is not None and old.status is HostStatus.ACTIVE and old.interval is new.interval
            self.watched = self.watched if same else at
        else:
            self.unseen = True

    def card(self, card: ReportCard) -> bool:
        """True if only those who judge the chain have changed."""
        self.last = card
        self.unseen = self.unseen and not self.watching
        if card.outcome is not Outcome.NOT_PERFORMED:
            self.performed = card.requested_at
        if not card.path:
            return False
        self.seen = card.path[0].not_after
        before, self.rulebook = self.rulebook, card.rulebook
        return before is not None and before != card.rulebook

    # -- what follows ----------------------------------------------------------------------------------------------

    @property
    def watching(self) -> bool:
        return self.record is not None and self.record.status is HostStatus.ACTIVE

    def applicable(self) -> list[AlertRule]:
        if self.record is None or not self.watching:
            return []
        tagged = "edge" in self.record.tags
        return [
            rule
            for rule in self.rules.values()
            if rule.enabled and rule.status is RecordStatus.ACTIVE and (isinstance(rule.scope, AllHosts) or tagged)
        ]

    def expect(
        self, at: datetime, cause: str, *, due: datetime | None, fresh: bool = False, regraded: bool = False
    ) -> Expected:
        """Moves the model on and says which transitions must come. `due`: the timer the host had."""
        if self.record is not None and self.watching and due is not None and at - due > LATE:
            self.excused = at + self.record.interval.length
        expected: Expected = []
        watched = {rule.rule_id: rule for rule in self.applicable()}
        for rule_id, paper in self.papers.items():
            if rule_id not in watched and paper.phase != "closed":
                expected.append((rule_id, "closed", cause))
                paper.close()
        for rule_id, rule in watched.items():
            paper = self.papers.setdefault(rule_id, Paper())
            graded = regraded and isinstance(rule.trigger, GradeBelow | ChainValidationFails)
            now = "rulebook" if graded else cause
            kind = self._move(paper, rule, at, fresh=fresh, cause=now)
            if kind is not None:
                expected.append((rule_id, kind, paper.cause if kind == "opened" else now))
        return expected

    def notices(self, change: CertificateChange, at: datetime) -> Iterator[tuple[UUID, str, str]]:
        """Told once, or, under a snooze, written down only."""
        for rule in self.applicable():
            if isinstance(rule.trigger, CertificateChanged) and (rule.trigger.which == "any" or change.unexpected):
                self.papers.setdefault(rule.rule_id, Paper())
                for kind in ("suppressed", "closed") if self.snoozed(rule, at) else ("notice",):
                    yield rule.rule_id, kind, "change"

    def _move(self, paper: Paper, rule: AlertRule, at: datetime, *, fresh: bool, cause: str) -> str | None:
        if isinstance(rule.trigger, CertificateChanged):
            if paper.phase == "closed":
                return None
            paper.close()
            return "closed"
        said = self.answer(rule, at)
        anew = self._count(paper, rule, said, fresh=fresh)
        new = self._goal(paper, rule, said, at)
        if new == paper.phase:
            return self._meanwhile(paper, rule, at, said=said, anew=anew)
        if paper.phase == "closed":
            paper.cause = cause
        if new == "closed":
            paper.close()
            return new
        if new != "pending":
            paper.count = 0
        paper.phase, paper.told_at = new, at
        return new

    def _count(self, paper: Paper, rule: AlertRule, said: bool | None, *, fresh: bool) -> bool:
        """True if a count began with this answer."""
        if said is None:
            return False
        if said is paper.up:
            paper.count = 0
            return False
        anew = paper.count == 0 or paper.question != rule.trigger
        before = 0 if anew else paper.count
        paper.count, paper.question = (before + 1 if fresh else max(1, before)), rule.trigger
        return anew

    def _goal(self, paper: Paper, rule: AlertRule, said: bool | None, at: datetime) -> str:
        opening = "suppressed" if self.snoozed(rule, at) else "opened"
        if said and not paper.up:
            return opening if paper.count >= rule.open_after else "pending"
        if said and paper.phase == "suppressed" and opening == "opened":
            return "opened"
        if said is False and (paper.phase == "pending" or (paper.up and paper.count >= rule.close_after)):
            return "closed"
        return paper.phase

    def _meanwhile(self, paper: Paper, rule: AlertRule, at: datetime, *, said: bool | None, anew: bool) -> str | None:
        if paper.phase != "opened":
            return None
        if said is False and anew:
            return "clearing"
        every, told = rule.remind_every_minutes, paper.told_at
        quiet = paper.count > 0 or paper.acknowledged is not None or self.snoozed(rule, at)
        if every is None or told is None or quiet or at < told + timedelta(minutes=every):
            return None
        paper.told_at = at
        return "reminder"

    # -- the answers -----------------------------------------------------------------------------------------------

    def answer(self, rule: AlertRule, at: datetime) -> bool | None:
        if isinstance(rule.trigger, ScanOverdue):
            return self._overdue(rule.trigger.intervals, at)
        card = self.last
        if card is None or self.unseen:
            return None
        match rule.trigger:
            case ExpiresInLessThan(days=days):
                return None if self.seen is None else self.seen - at < timedelta(days=days)
            case ChainValidationFails():
                return {Verdict.YES: False, Verdict.NO: True, Verdict.UNKNOWN: None}[card.chain_valid]
            case GradeBelow():
                return None if card.grade is None else card.grade in {Grade.C, Grade.F}
            case Unreachable():
                return {Outcome.OK: False, Outcome.UNREACHABLE: True}.get(card.outcome)
        raise AssertionError(rule.trigger)

    def _overdue(self, intervals: float, at: datetime) -> bool | None:
        since = max((one for one in (self.performed, self.watched) if one is not None), default=None)
        if since is None or self.record is None:
            return None
        if at < since + intervals * self.record.interval.length:
            return False
        return None if self.excused is not None and at < self.excused else True

    def snoozed(self, rule: AlertRule, at: datetime) -> bool:
        assert self.record is not None
        host = self.record.snooze
        if host is not None and host.since <= at < host.until:
            return True
        return any(
            one.status is RecordStatus.ACTIVE
            and one.since <= at < one.until
            and (one.rule_id == rule.rule_id or (one.tag is not None and one.tag in self.record.tags))
            for one in self.snoozes.values()
        )
