"""What becomes of a request before anything is connected to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.scanner.sightings import HostSeen, Unsuccessful
from vigilo.events import ids
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.scans import Outcome, ScanRequested, Snapshot

SNAPSHOTS_TOPIC = "snapshots"


@dataclass(frozen=True, slots=True)
class PoolMembership:
    """Which requests a scanner performs: those of its pool, from the workspaces the pool belongs to (None = all)."""

    pool: str
    workspaces: frozenset[UUID] | None = None

    def refusal(self, request: ScanRequested) -> HostSeen | None:
        """What was 'seen' of a host this pool may not scan, or None when it may."""
        target = request.target
        if target.pool != self.pool:
            return _denied(f"asked for pool {target.pool}, heard by pool {self.pool}")
        if self.workspaces is not None and target.workspace_id not in self.workspaces:
            return _denied(f"pool {self.pool} does not belong to this workspace")
        return None


def _denied(detail: str) -> HostSeen:
    return HostSeen(failure=Unsuccessful(Outcome.DENIED, detail))


def is_expired(request: ScanRequested, *, at: datetime) -> bool:
    """True when the scan is worth nothing any more: the scheduler has asked again, or will."""
    return at > request.not_after


def snapshot_event(snapshot: Snapshot, *, traceparent: str | None) -> OutgoingEvent:
    """The event of a snapshot; a repeated scan of one request has the same id."""
    return OutgoingEvent(
        topic=SNAPSHOTS_TOPIC,
        key=str(snapshot.host_id),
        id=ids.snapshot_id(snapshot.scan_id),
        event=snapshot,
        time=snapshot.finished_at,
        traceparent=traceparent,
    )
