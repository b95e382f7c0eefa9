"""What is known of a host's certificate: the part of its report cards that rules and messages look at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from vigilo.events.cards import Grade, PathCertificate, ReportCard, TrustReason, Verdict
from vigilo.events.facts import StapleStatus
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.scans import Outcome
from vigilo.events.text import PeerText

STAPLE_REMEMBERED: Final = timedelta(days=30)
_NAMES_KEPT: Final = 5
# Nobody has looked at the host: no scanner took the scan, or our own rules forbid the address.
_NOT_PERFORMED: Final = frozenset({Outcome.NOT_PERFORMED, Outcome.DENIED})


class Knowledge(BaseModel):
    """The last report card, and of the last one that saw a certificate the chain as served, leaf first.

    So `path` outlives an outage of the host while everything else says what the last scan found, and is unknown where
    that found nothing. Nothing here changes with every scan of an unchanged host. `names` are the first few of the
    last leaf seen. `versions_*` as on ReportCard.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: Outcome
    pool_suspect: bool = False
    path: tuple[PathCertificate, ...] = ()
    names: tuple[PeerText, ...] = ()
    names_count: int = 0
    name_matches: Verdict = Verdict.UNKNOWN
    chain_valid: Verdict = Verdict.UNKNOWN
    chain_reason: TrustReason | None = None
    chain_detail: PeerText | None = None
    grade: Grade | None = None
    provisional: bool = False
    staple_status: StapleStatus | None = None
    staple_wanted: bool | None = None
    versions_accepted: tuple[str, ...] = ()
    versions_rejected: tuple[str, ...] = ()
    rulebook: str | None = None
    trust_store: str | None = None

    @property
    def leaf(self) -> PathCertificate | None:
        """The last leaf seen."""
        return self.path[0] if self.path else None


class Course(BaseModel):
    """When things were last so. Changes with every scan, so it is kept apart from Knowledge, in the guard row.

    `performed_at`: `requested_at` of the last scan that somebody performed; `staple_good_at`: of the last one that saw
    a valid staple; `staple_stopped_at`: of the first that saw none though one was wanted, if the last valid one was
    within 30 days of it, until a valid one is seen again. `watched_since`: see `watch`. `excused_until`: before then
    nobody can say that a scan is overdue, for we ourselves were away.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    watched_since: datetime | None = None
    performed_at: datetime | None = None
    staple_good_at: datetime | None = None
    staple_stopped_at: datetime | None = None
    excused_until: datetime | None = None


def learn(known: Knowledge | None, card: ReportCard) -> Knowledge:
    """What is known after this card. Of a scan by a pool that has lost its own network only that is believed."""
    kept: dict[str, Any] = {"pool_suspect": card.pool_suspect, "outcome": card.outcome}
    if card.path and not card.pool_suspect:
        kept |= {"path": card.path, "names": card.names[:_NAMES_KEPT], "names_count": card.names_count}
    elif known is not None:
        kept |= {"path": known.path, "names": known.names, "names_count": known.names_count}
    if card.pool_suspect:
        return Knowledge(**kept)
    return Knowledge(
        **kept,
        name_matches=card.name_matches,
        chain_valid=card.chain_valid,
        chain_reason=card.chain_reason,
        chain_detail=card.chain_detail,
        grade=card.grade,
        provisional=card.provisional,
        staple_status=card.staple_status,
        staple_wanted=card.staple_wanted,
        versions_accepted=card.versions_accepted,
        versions_rejected=card.versions_rejected,
        rulebook=card.rulebook,
        trust_store=card.trust_store,
    )


def learn_course(course: Course, card: ReportCard) -> Course:
    """The course after this card, to be called for every card that is applied, in their order.

    A scan that nobody performed moves nothing, and one by a suspect pool only `performed_at`.
    """
    if card.outcome in _NOT_PERFORMED:
        return course
    performed = card.requested_at if course.performed_at is None else max(course.performed_at, card.requested_at)
    return course.model_copy(update={"performed_at": performed, **_staple(course, card)})


def watch(course: Course, before: Host | None, now: Host, at: datetime) -> Course:
    """The course after a new version of the host record, `before` being the last one known; `at` is when it is heard.

    The time without a scan is counted anew (`watched_since`) for a host that was added, resumed, or got another
    interval: an hour without a scan says nothing of a host that was due daily until a minute ago. Another peer has
    staples of its own. A row that is older than this field is watched since it is first heard of.
    """
    if before is not None and before.target().peer != now.target().peer:
        course = course.model_copy(update={"staple_good_at": None, "staple_stopped_at": None})
    if now.status is not HostStatus.ACTIVE:
        return course
    same = before is not None and before.status is HostStatus.ACTIVE and before.interval is now.interval
    if same and course.watched_since is not None:
        return course
    return course.model_copy(update={"watched_since": at})


def _staple(course: Course, card: ReportCard) -> dict[str, datetime | None]:
    if card.pool_suspect or card.staple_status is None:
        return {}
    if card.staple_status is StapleStatus.GOOD:
        return {"staple_good_at": card.requested_at, "staple_stopped_at": None}
    if not card.staple_wanted:
        return {} if card.staple_wanted is None else {"staple_stopped_at": None}
    # Revoked: the server staples as it should.
    if course.staple_stopped_at is not None or card.staple_status is StapleStatus.REVOKED:
        return {}
    good_at = course.staple_good_at
    stopped = good_at is not None and card.requested_at - good_at <= STAPLE_REMEMBERED
    return {"staple_stopped_at": card.requested_at} if stopped else {}
