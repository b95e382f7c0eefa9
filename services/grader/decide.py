"""One snapshot in, one report card out, and a certificate change when the leaf is another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from services.grader.changes import chain_change, leaf_change, served_before
from services.grader.issuers import settle_issuers
from services.grader.rollouts import settle
from services.grader.state import SEEN_SCANS, Chains, Grades, StoredChain, served_chain
from vigilo.events import ids
from vigilo.events.cards import CertificateChange, ReportCard
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.events.scans import Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import VIGILO_2026, Rulebook
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.missing import RememberingJudge
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

    def __init__(self, judge_of: Callable[[UUID], TrustJudge], rulebook: Rulebook = VIGILO_2026) -> None:
        """`judge_of` gives the judge of a workspace as things are at that moment."""
        self._judge_of, self._rulebook = judge_of, rulebook

    def decide(
        self, state: Grades | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime
    ) -> Decision[Grades]:
        """See `decide_snapshot`; a record without a snapshot is refused."""
        if not isinstance(given.event, Snapshot):
            return Decision(state=state, refused="tombstone")
        chains = side.get(CHAINS)
        judge = self._judge_of(given.event.target.workspace_id)
        known = chains if isinstance(chains, Chains) else Chains()
        return decide_snapshot(state, known, given.event, judge=judge, at=at, rulebook=self._rulebook)

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """The grader has no timers."""
        raise NotImplementedError(f"the grader asks for no wakeups: {key} at {due}")


def decide_snapshot(
    state: Grades | None,
    chains: Chains,
    snapshot: Snapshot,
    *,
    judge: TrustJudge,
    at: datetime,
    rulebook: Rulebook = VIGILO_2026,
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
    remembering = RememberingJudge(judge, chains.certificates)
    der = known.bytes_() if known else None
    card = grade_snapshot(snapshot, der, judge=remembering, at=at, late=late, rulebook=rulebook)
    if late or _of_a_former_peer(before, snapshot):
        after, change = before, None
    else:
        before = _of_the_same_peer(before, snapshot)
        after, change = _apply(before, snapshot, known, chains)
    seen = (*before.seen, snapshot.scan_id)[-SEEN_SCANS:]
    return Decision(
        state=after.model_copy(update={"seen": seen}),
        outputs=tuple(_outputs(card, change, at=at)),
        side=_side(served, chains, after),
    )


def _side(served: StoredChain | None, chains: Chains, after: Grades) -> dict[str, BaseModel | None]:
    """The row of chains is written only when a chain not kept yet was served."""
    if served is None or chains.find(served.fingerprints) is not None:
        return {}
    return {CHAINS: chains.with_chain(served, leaf=None if after.leaf is None else after.leaf.fingerprint_sha256)}


def _of_a_former_peer(before: Grades, snapshot: Snapshot) -> bool:
    """True for what was seen of a peer that the host had before somebody edited it."""
    version, target = before.host_version, snapshot.target
    return version is not None and target.host_version < version and target.peer != before.peer


def _of_the_same_peer(before: Grades, snapshot: Snapshot) -> Grades:
    """Without what was known of another peer: an edited host's first certificate is no change."""
    if before.peer is None or before.peer == snapshot.target.peer:
        return before
    return before.model_copy(update={"leaf": None, "rollout": None, "replaced": None, "issuers": None})


def _apply(
    before: Grades, snapshot: Snapshot, known: StoredChain | None, chains: Chains
) -> tuple[Grades, CertificateChange | None]:
    """The host after this snapshot, and what changed. `known` is the snapshot's chain with its bytes."""
    standing = settle(before, snapshot)
    issuers = settle_issuers(before, snapshot, standing)
    after = before.model_copy(
        update={
            "requested_at": snapshot.requested_at,
            "scan_id": snapshot.scan_id,
            "leaf": standing.leaf,
            "rollout": standing.rollout,
            "replaced": standing.replaced,
            "issuers": issuers,
            "peer": snapshot.target.peer,
            "host_version": max(snapshot.target.host_version, before.host_version or 0),
        }
    )
    return after, _change(before, after, snapshot, known, chains, leaf=standing.changed)


def _change(
    before: Grades, after: Grades, snapshot: Snapshot, known: StoredChain | None, chains: Chains, *, leaf: bool
) -> CertificateChange | None:
    if leaf:
        old = served_before(before, chains)
        return None if old is None else leaf_change(snapshot, old, known)
    if before.issuers is None or after.issuers is None or before.issuers.digest == after.issuers.digest:
        return None
    old = served_before(before, chains)
    return None if old is None else chain_change(snapshot, old)


def _outputs(card: ReportCard, change: CertificateChange | None, *, at: datetime) -> list[OutgoingEvent]:
    key = str(card.host_id)
    outputs = [OutgoingEvent(topic="report-cards", key=key, id=ids.report_card_id(card.scan_id), event=card, time=at)]
    if change is not None:
        change_id = ids.certificate_change_id(card.host_id, card.scan_id)
        outputs.append(OutgoingEvent(topic="certificate-changes", key=key, id=change_id, event=change, time=at))
    return outputs
