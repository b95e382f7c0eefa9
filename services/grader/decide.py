"""One snapshot in, one report card out, and a certificate change when the leaf is another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.grader.changes import certificate_change
from services.grader.rollouts import Standing, settle
from services.grader.state import SEEN_SCANS, Chains, Grades, StoredChain, served_chain
from vigilo.events import ids
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.events.scans import Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.ports.processing import Decision, Input

CHAINS = "chains"


class GraderProcessor:
    """The grader's decisions, as the stream base runs them."""

    service = "grader"
    table = "grades"
    inputs: Mapping[str, type[Event]] = {"snapshots": Snapshot}
    state_model = Grades
    side_models: Mapping[str, type[BaseModel]] = {CHAINS: Chains}
    wakeups_topic: str | None = None

    def __init__(self, judge_of: Callable[[UUID], TrustJudge]) -> None:
        """`judge_of` gives the judge of a workspace as things are at that moment."""
        self._judge_of = judge_of

    def decide(
        self, state: Grades | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime
    ) -> Decision[Grades]:
        """See `decide_snapshot`; a record without a snapshot is refused."""
        if not isinstance(given.event, Snapshot):
            return Decision(state=state, refused="tombstone")
        chains = side.get(CHAINS)
        judge = self._judge_of(given.event.target.workspace_id)
        return decide_snapshot(
            state, chains if isinstance(chains, Chains) else Chains(), given.event, judge=judge, at=at
        )

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """The grader has no timers."""
        raise NotImplementedError(f"the grader asks for no wakeups: {key} at {due}")


def decide_snapshot(
    state: Grades | None, chains: Chains, snapshot: Snapshot, *, judge: TrustJudge, at: datetime
) -> Decision[Grades]:
    """Exactly one card per scan id; a late snapshot gets its card and changes nothing else."""
    before = Grades(workspace_id=snapshot.target.workspace_id) if state is None else state
    if before.workspace_id != snapshot.target.workspace_id:
        return Decision(state=state, refused="workspace-changed")
    if snapshot.scan_id in before.seen:
        return Decision(state=before)
    late = before.order is not None and snapshot.order < before.order
    served = served_chain(snapshot)
    known = served or chains.find(snapshot.chain_sha256)
    card = grade_snapshot(snapshot, known.bytes_() if known else None, judge=judge, at=at, late=late)
    standing = None if late else settle(before, snapshot)
    changed = standing is not None and standing.changed
    change = certificate_change(snapshot, before.leaf, _old_leaf(before, chains)) if changed else None
    return Decision(
        state=_evolve(before, snapshot, standing),
        outputs=tuple(_outputs(card, change, at=at)),
        side=_side(served, chains),
    )


def _side(served: StoredChain | None, chains: Chains) -> dict[str, BaseModel | None]:
    """The row of chains is written only when a chain not kept yet was served."""
    if served is None or chains.find(served.fingerprints) is not None:
        return {}
    return {CHAINS: chains.with_chain(served)}


def _old_leaf(before: Grades, chains: Chains) -> bytes | None:
    if before.leaf is None:
        return None
    wanted = before.leaf.fingerprint_sha256
    return next((chain.bytes_()[0] for chain in chains.chains if chain.fingerprints[0] == wanted), None)


def _evolve(before: Grades, snapshot: Snapshot, standing: Standing | None) -> Grades:
    """`standing` None: the snapshot came late."""
    seen = (*before.seen, snapshot.scan_id)[-SEEN_SCANS:]
    if standing is None:
        return before.model_copy(update={"seen": seen})
    return before.model_copy(
        update={
            "seen": seen,
            "requested_at": snapshot.requested_at,
            "scan_id": snapshot.scan_id,
            "leaf": standing.leaf,
            "rollout": standing.rollout,
            "replaced": standing.replaced,
        }
    )


def _outputs(card: ReportCard, change: CertificateChange | None, *, at: datetime) -> list[OutgoingEvent]:
    key = str(card.host_id)
    outputs = [OutgoingEvent(topic="report-cards", key=key, id=ids.report_card_id(card.scan_id), event=card, time=at)]
    if change is not None:
        change_id = ids.certificate_change_id(card.host_id, card.scan_id)
        outputs.append(OutgoingEvent(topic="certificate-changes", key=key, id=change_id, event=change, time=at))
    return outputs
