"""The rows of the scheduler. Optional fields with defaults only: an older row must stay readable."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from vigilo.events.hosts import Host, HostStatus
from vigilo.events.scans import Baseline, Depth, ScanReason
from vigilo.tls.posture.contradiction import Contradiction


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Outstanding(_Row):
    """A scan asked for and not yet seen. `host_version` is the version it was asked with."""

    scan_id: UUID
    requested_at: datetime
    not_after: datetime
    reason: ScanReason
    host_version: int


class WaitingCommand(_Row):
    """The newest "scan now" not yet answered: it waits for its host version, or for the one before it.

    `light`: nobody asked for more than a handshake.
    """

    command_id: UUID
    host_version: int
    at: datetime
    light: bool = False


class Retry(_Row):
    """Ask again at `due`, because nobody performed the scan `of`."""

    due: datetime
    of: UUID


class Order(_Row):
    """A place in the host's order of scans."""

    requested_at: datetime
    scan_id: UUID


class Schedule(_Row):
    """The guard row of one host, rewritten by each of its scans.

    `version`, `status`: of the last host record, 0 and None before the first. `epoch`: the host version at which slots
    began to count, so that slot numbers of two intervals never meet. `slot`: the last slot asked for or covered.
    `requested_at`: of the last scan asked for. `seen`: the newest scan somebody performed.
    """

    workspace_id: UUID | None = None
    version: int = 0
    status: HostStatus | None = None
    epoch: int = 0
    slot: int = 0
    requested_at: datetime | None = None
    outstanding: tuple[Outstanding, ...] = ()
    retry: Retry | None = None
    command: WaitingCommand | None = None
    commanded_at: datetime | None = None
    seen: Order | None = None


class DeepScans(_Row):
    """What is remembered of scans that look deeper than a handshake.

    `scan_id`, `depth`, `asked_at`: of the last one asked for; `full_at`: when a full one was. `fruitless`: full ones in
    a row that brought no posture. `owed`: a person asked for one while another was under way. `tolerated`: what the
    last full scan's own handshake contradicts: in later ones it proves nothing. Times are requests' `requested_at`.
    """

    scan_id: UUID | None = None
    depth: Depth = Depth.LIGHT
    asked_at: datetime | None = None
    full_at: datetime | None = None
    fruitless: int = 0
    owed: bool = False
    throttled_until: datetime | None = None
    tolerated: Contradiction | None = None


class Recheck(NamedTuple):
    """Scans that an alert needs to be sure: `left` more; `asked` so far. `n` is the transition that wants them.

    Kept when none is left or its alert went on, so that the transition is known if it comes again. `host_version`: of
    the transition; `deeper`: a handshake is not enough.
    """

    alert_id: UUID
    n: int
    left: int
    host_version: int
    asked: int = 0
    deeper: bool = False


class Confirming(_Row):
    """Alerts to confirm. `due`: when the next recheck may be asked for. `heard_at`: of the newest transition heard.

    `since`: the host version from which on its present peer is watched without a pause.
    """

    since: int = 0
    rechecks: tuple[Recheck, ...] = ()
    due: datetime | None = None
    heard_at: datetime | None = None


class KnownHost(_Row):
    """The side row of one host, written only when it changes: its last record, and what the next request repeats."""

    host: Host
    baseline: Baseline | None = None
    deep: DeepScans = DeepScans()
    confirming: Confirming = Confirming()
