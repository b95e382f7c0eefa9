"""What another rulebook or trust store would say of scans that were graded already. Pure; a report, never an event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.grader.state import Chains, served_chain
from vigilo.events.cards import Finding, Grade, ReportCard
from vigilo.events.scans import Snapshot
from vigilo.events.text import PeerText
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import Rulebook
from vigilo.grading.trust.judge import TrustJudge

NO_LETTER = "none"
Judges = Callable[[UUID], TrustJudge]
"""The judge of a workspace: the public anchors and its private ones."""


class Judgement(BaseModel):
    """A letter, the rules that decided it, and what it was judged by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    grade: Grade | None
    deciding: tuple[str, ...] = ()
    rulebook: str
    trust_store: str


class HostChange(BaseModel):
    """A host whose letter would be another one. `evidence`: what the deciding rules of `after` rest on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    workspace_id: UUID
    host_id: UUID
    hostname: str
    port: int
    scan_id: UUID
    requested_at: datetime
    before: Judgement
    after: Judgement
    evidence: tuple[PeerText, ...] = ()


class Letters(BaseModel):
    """How many have which letter, best first; `none` counts those without one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    before: dict[str, int]
    after: dict[str, int]


class RegradeReport(BaseModel):
    """What would change. `hosts` counts each host by its newest graded scan, `cards` every card of the period.

    `without_card`: scans of the period that were never graded; they are in no count.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    rulebook: str
    since: datetime
    until: datetime
    cards_compared: int
    cards_changed: int
    without_card: int
    unreadable: int
    hosts_compared: int
    hosts: Letters
    cards: Letters
    changed: tuple[HostChange, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a card that was written."""

    judgement: Judgement
    graded_at: datetime


def known(card: ReportCard) -> Known:
    """The part of a written card that a comparison needs."""
    return Known(_judgement(card), card.graded_at)


class Regrading:
    """Takes a host's snapshots in the order of their partition; hosts may be mixed.

    Chains are remembered exactly as the grader does: a light snapshot names the chain, an older one has its bytes.
    """

    def __init__(self, rulebook: Rulebook, judges: Judges, *, since: datetime) -> None:
        self._rulebook = rulebook
        self._judges = judges
        self._since = since
        self._chains: dict[UUID, Chains] = {}
        self._newest: dict[UUID, HostChange] = {}
        self._before: Counter[str] = Counter()
        self._after: Counter[str] = Counter()
        self._changed = 0
        self._compared = 0
        self._without_card = 0
        self._taken: set[UUID] = set()

    def take(self, snapshot: Snapshot, before: Known | None) -> None:
        """Judges one snapshot anew; `before` is the card it got. A repeated snapshot counts once."""
        chains = self._chains.get(snapshot.host_id, Chains())
        served = served_chain(snapshot)
        if served is not None and chains.find(served.fingerprints) is None:
            self._chains[snapshot.host_id] = chains.with_chain(served)
        if snapshot.requested_at < self._since or snapshot.scan_id in self._taken:
            return
        self._taken.add(snapshot.scan_id)
        if before is None:
            self._without_card += 1
            return
        stored = served or chains.find(snapshot.chain_sha256)
        card = grade_snapshot(
            snapshot,
            stored.bytes_() if stored else None,
            judge=self._judges(snapshot.target.workspace_id),
            at=before.graded_at,
            rulebook=self._rulebook,
        )
        self._count(snapshot, before.judgement, card)

    def end_partition(self) -> None:
        """Forgets chains and scans: the next partition has those of other hosts."""
        self._chains.clear()
        self._taken.clear()

    def report(self, *, until: datetime, unreadable: int = 0) -> RegradeReport:
        """What would change, hosts by name."""
        newest = sorted(self._newest.values(), key=lambda one: (one.hostname, one.port, one.host_id))
        before = Counter(_word(one.before.grade) for one in newest)
        after = Counter(_word(one.after.grade) for one in newest)
        return RegradeReport(
            rulebook=self._rulebook.name,
            since=self._since,
            until=until,
            cards_compared=self._compared,
            cards_changed=self._changed,
            without_card=self._without_card,
            unreadable=unreadable,
            hosts_compared=len(newest),
            hosts=_letters(before, after),
            cards=_letters(self._before, self._after),
            changed=tuple(one for one in newest if one.before.grade is not one.after.grade),
        )

    def _count(self, snapshot: Snapshot, before: Judgement, card: ReportCard) -> None:
        self._compared += 1
        self._before[_word(before.grade)] += 1
        self._after[_word(card.grade)] += 1
        self._changed += before.grade is not card.grade
        newest = self._newest.get(snapshot.host_id)
        # A failed scan has no letter to lose: the last that had one stands for the host.
        without_letter = before.grade is None and card.grade is None
        if newest is not None and (without_letter or (newest.requested_at, newest.scan_id) > snapshot.order):
            return
        self._newest[snapshot.host_id] = HostChange(
            workspace_id=snapshot.target.workspace_id,
            host_id=snapshot.host_id,
            hostname=snapshot.target.hostname,
            port=snapshot.target.port,
            scan_id=snapshot.scan_id,
            requested_at=snapshot.requested_at,
            before=before,
            after=_judgement(card),
            evidence=tuple(f"{finding.title}: {finding.evidence}" for finding in _deciding(card)),
        )


def _judgement(card: ReportCard) -> Judgement:
    return Judgement(
        grade=card.grade,
        deciding=tuple(finding.rule for finding in _deciding(card)),
        rulebook=card.rulebook,
        trust_store=card.trust_store,
    )


def _deciding(card: ReportCard) -> list[Finding]:
    """By what the card says; cards older than that field are asked for the caps that hold the letter."""
    if card.deciding:
        return [finding for finding in card.findings if finding.rule in card.deciding]
    return [finding for finding in card.findings if card.grade is not None and finding.cap is card.grade]


def _word(grade: Grade | None) -> str:
    return NO_LETTER if grade is None else grade.value


def _letters(before: Counter[str], after: Counter[str]) -> Letters:
    words = [word for word in (*Grade, NO_LETTER) if before[word] or after[word]]
    return Letters(before={word: before[word] for word in words}, after={word: after[word] for word in words})
