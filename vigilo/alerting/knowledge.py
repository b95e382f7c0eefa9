"""What is known of a host's certificate: the part of its report cards that rules and messages look at."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from vigilo.events.cards import Grade, PathCertificate, ReportCard, TrustReason, Verdict
from vigilo.events.scans import Outcome
from vigilo.events.text import PeerText


class Knowledge(BaseModel):
    """The last report card, and of the last one that saw a certificate the chain as served, leaf first.

    So `path` outlives an outage of the host while everything else says what the last scan found. Nothing here changes
    with every scan of an unchanged host.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: Outcome
    pool_suspect: bool = False
    path: tuple[PathCertificate, ...] = ()
    chain_valid: Verdict = Verdict.UNKNOWN
    chain_reason: TrustReason | None = None
    chain_detail: PeerText | None = None
    grade: Grade | None = None

    @property
    def leaf(self) -> PathCertificate | None:
        """The last leaf seen."""
        return self.path[0] if self.path else None


class Course(BaseModel):
    """When things were last so. Changes with every scan, so it is kept apart from Knowledge, in the guard row.

    `performed_at`: `requested_at` of the last scan that somebody performed; `staple_good_at`: of the last one that saw
    a valid staple. `watched_since`: the host was added, or resumed, then.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    watched_since: datetime | None = None
    performed_at: datetime | None = None
    staple_good_at: datetime | None = None


def learn(known: Knowledge | None, card: ReportCard) -> Knowledge:
    """What is known after this card. Of a scan by a pool that has lost its own network only that is believed."""
    if card.pool_suspect:
        path = () if known is None else known.path
        return Knowledge(outcome=card.outcome, pool_suspect=True, path=path)
    return Knowledge(
        outcome=card.outcome,
        path=card.path or (() if known is None else known.path),
        chain_valid=card.chain_valid,
        chain_reason=card.chain_reason,
        chain_detail=card.chain_detail,
        grade=card.grade,
    )
