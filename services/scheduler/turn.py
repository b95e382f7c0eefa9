"""One decision in the making: the row as it becomes, the events decided so far. Pure; lives for one input."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.scheduler.planning import Timing, not_after, requested_at
from services.scheduler.state import KnownHost, Outstanding, Schedule
from services.scheduler.traffic import Traffic
from vigilo.events import ids
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.scans import Baseline, Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.events.topics import SCAN_REQUESTED, SCAN_REQUESTED_NOW, pool_topic

# More than this many unanswered scans of one host and the oldest is given up: the row stays under 1 KB.
OUTSTANDING_MAX = 3
SNAPSHOTS = "snapshots"
_BY_THE_CLOCK = frozenset({ScanReason.SLOT, ScanReason.RETRY, ScanReason.PACED, ScanReason.RECHECK})
_SCANNER = "scheduler"  # who speaks, in the snapshot of a scan nobody performed


def lane_of(reason: ScanReason) -> Lane:
    """People and news take the fast lane; what the clock asks for, the slow one. Of rechecks a few may go faster."""
    return Lane.SLOW if reason in _BY_THE_CLOCK else Lane.NOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A scan to ask for. `nominal` is the time it stands for: the slot's, the command's, the host record's.

    `fast` puts it on the fast lane, whatever its reason.
    """

    scan_id: UUID
    reason: ScanReason
    nominal: datetime
    depth: Depth = Depth.LIGHT
    slot: int | None = None
    command_id: UUID | None = None
    probes_max: int | None = None
    fast: bool = False

    @property
    def lane(self) -> Lane:
        """See `lane_of`."""
        return Lane.NOW if self.fast else lane_of(self.reason)


@dataclass(slots=True)
class Turn:
    """`row` and `known` are replaced, never changed; `known` None = no host record.

    `unproved` is the scan just heard of that leaves the posture unknown or in doubt.
    """

    row: Schedule
    known: KnownHost | None
    at: datetime
    timing: Timing
    pools: frozenset[str]
    traceparent: str | None = None
    traffic: Traffic = field(default_factory=Traffic)
    outputs: list[OutgoingEvent] = field(default_factory=list)
    unproved: UUID | None = None

    @property
    def active(self) -> bool:
        """True while the host may be scanned."""
        return self.row.status is HostStatus.ACTIVE and self.known is not None

    def become(self, **changes: Any) -> None:
        """Replaces fields of the row."""
        self.row = self.row.model_copy(update=changes)

    def remember(self, **changes: Any) -> None:
        """Replaces fields of what is remembered of deep scans."""
        if self.known is not None:
            deep = self.known.deep.model_copy(update=changes)
            self.known = self.known.model_copy(update={"deep": deep})

    def confirm(self, **changes: Any) -> None:
        """Replaces fields of what is remembered of alerts to confirm."""
        if self.known is not None:
            confirming = self.known.confirming.model_copy(update=changes)
            if confirming != self.known.confirming:
                self.known = self.known.model_copy(update={"confirming": confirming})

    def ask(self, wanted: Ask) -> None:
        """Asks for a scan; a retry that was planned is answered by it. Needs a host record."""
        host = self._host()
        stamp = requested_at(wanted.nominal, last=self.row.requested_at, at=self.at)
        asked = Outstanding(
            scan_id=wanted.scan_id,
            requested_at=stamp,
            not_after=self._not_after(wanted, host),
            reason=wanted.reason,
            host_version=host.version,
        )
        self.become(requested_at=stamp, retry=None)
        if self.known is not None and any(one.left for one in self.known.confirming.rechecks):
            # Whatever was asked for shows the host as a recheck would.
            self.confirm(due=self.at + self.timing.recheck_spacing)
        # Whether it is sent or not: what has been asked for is not due any more.
        self._note_depth(wanted, at=stamp)
        if host.pool not in self.pools:
            # A send to a topic that does not exist would never end.
            self.unperformed(asked.scan_id)
            self._not_performed(asked, f"no such pool: {host.pool}")
            return
        self._request(host, wanted, asked)
        self.become(outstanding=(*self.row.outstanding, asked))
        if len(self.row.outstanding) > OUTSTANDING_MAX:
            self.give_up(self._least(), "given up for newer requests")

    def give_up(self, one: Outstanding, why: str) -> None:
        """Ends a scan nobody performed: a snapshot says so. Of a host without record nothing is said."""
        self.forget(one.scan_id)
        self.unperformed(one.scan_id)
        if self.known is not None:
            self._not_performed(one, why)

    def unperformed(self, scan_id: UUID) -> None:
        """That scan will not be seen. The first full one that was lost may be asked for again at once."""
        if self.known is not None and self.known.deep.scan_id == scan_id and self.known.deep.depth is Depth.FULL:
            deep = self.known.deep
            self.remember(fruitless=deep.fruitless + 1, full_at=deep.full_at if deep.fruitless else None)

    def forget(self, scan_id: UUID) -> bool:
        """Waits no longer for that scan; False if nobody waited."""
        kept = tuple(one for one in self.row.outstanding if one.scan_id != scan_id)
        waited = len(kept) < len(self.row.outstanding)
        if waited:
            self.become(outstanding=kept)
        return waited

    def _host(self) -> Host:
        if self.known is None:
            raise LookupError("a scan needs a host record")
        return self.known.host

    def _least(self) -> Outstanding:
        """The oldest light scan asked for: newer ones say the same. At most one is deep."""
        deep = None if self.known is None else self.known.deep.scan_id
        return next(one for one in self.row.outstanding if one.scan_id != deep)

    def _not_after(self, wanted: Ask, host: Host) -> datetime:
        awaited = wanted.reason is not ScanReason.BASELINE
        return not_after(wanted.lane, host.interval, at=self.at, timing=self.timing, awaited=awaited)

    def _note_depth(self, wanted: Ask, *, at: datetime) -> None:
        if wanted.depth is not Depth.LIGHT:
            self.remember(scan_id=wanted.scan_id, depth=wanted.depth, asked_at=at)
        if wanted.depth is Depth.FULL:
            self.remember(full_at=at, owed=False)

    def _request(self, host: Host, wanted: Ask, asked: Outstanding) -> None:
        event = ScanRequested(
            scan_id=asked.scan_id,
            target=host.target(),
            depth=wanted.depth,
            reason=wanted.reason,
            lane=wanted.lane,
            requested_at=asked.requested_at,
            not_after=asked.not_after,
            slot=wanted.slot,
            command_id=wanted.command_id,
            baseline=self._baseline(wanted),
            probes_max=wanted.probes_max,
        )
        topic = pool_topic(SCAN_REQUESTED_NOW if wanted.lane is Lane.NOW else SCAN_REQUESTED, host.pool)
        # Keyed by hostname, so that one scanner meets all ports of a machine and can be polite to it.
        self._emit(topic, host.hostname, ids.request_id(asked.scan_id), event)

    def _baseline(self, wanted: Ask) -> Baseline | None:
        """The transcript goes only to whom it concerns."""
        baseline = None if self.known is None else self.known.baseline
        if baseline is None or baseline.transcript is None or wanted.probes_max is not None:
            return baseline
        return baseline.model_copy(update={"transcript": None})

    def _not_performed(self, one: Outstanding, why: str) -> None:
        host = self._host()
        event = Snapshot(
            scan_id=one.scan_id,
            target=host.target().model_copy(update={"host_version": one.host_version}),
            requested_at=one.requested_at,
            depth=Depth.LIGHT,
            reason=one.reason,
            outcome=Outcome.NOT_PERFORMED,
            detail=why,
            finished_at=self.at,
            scanner=_SCANNER,
        )
        self._emit(SNAPSHOTS, str(host.host_id), ids.snapshot_id(one.scan_id), event)

    def _emit(self, topic: str, key: str, event_id: UUID, event: ScanRequested | Snapshot) -> None:
        self.outputs.append(OutgoingEvent(topic, key, event_id, event, self.at, self.traceparent))
