"""A host in the grader's eyes: rows kept, cards and changes collected."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.grader.decide import CHAINS, decide_snapshot
from services.grader.state import Chains, Grades
from tests.fakes.pki import Authority, Issued
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.scans import Snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
from vigilo.ports.processing import Decision

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Grader")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test", (AUTHORITY.root.certificate,))))
OLD = AUTHORITY.leaf("api.acme.test", "old.acme.test")
NEW = AUTHORITY.leaf("api.acme.test", "new.acme.test")


@dataclass
class Host:
    """A host's row, as the stream base would keep it."""

    state: Grades | None = None
    chains: Chains = field(default_factory=Chains)
    cards: list[ReportCard] = field(default_factory=list)
    changes: list[CertificateChange] = field(default_factory=list)

    def sees(self, given: Snapshot, *, at: datetime = NOW) -> Decision[Grades]:
        decision = decide_snapshot(self.state, self.chains, given, judge=JUDGE, at=at)
        if decision.refused is None:
            assert decision.state is not None
            self.state = Grades.model_validate_json(decision.state.model_dump_json())  # as a row comes back
            kept = decision.side.get(CHAINS, self.chains)
            assert isinstance(kept, Chains)
            self.chains = kept
        self.cards += [out.event for out in decision.outputs if isinstance(out.event, ReportCard)]
        self.changes += [out.event for out in decision.outputs if isinstance(out.event, CertificateChange)]
        return decision


def scan(leaf: Issued, number: int, **fields: Any) -> Snapshot:
    return snapshot(leaf.chain_der, at=NOW + timedelta(minutes=number), number=number, **fields)
