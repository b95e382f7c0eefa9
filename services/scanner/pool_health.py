"""Whether a pool has lost its own network: many hosts of many domains gone silent at once. Pure; a clock is passed in.

A pool without a network must not look like ten thousand outages. Only the scans of this process are counted, and only
since its start: each scanner of a pool judges by what it met itself, and one that has just begun suspects nothing yet.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

from vigilo.events.hostnames import is_ip_literal
from vigilo.events.scans import Outcome, ScanRequested, Snapshot
from vigilo.tls.addresses import parse_address

SCANS = 200
HOSTS_MIN = 20
DOMAINS_MIN = 5
# The longest interval, and time for its scan to be late: who was not well since was not well before.
WELL_WITHIN = timedelta(hours=26)
_REMEMBERED = 20_000  # hosts; some 3 MB

# Ends before the peer's first byte of TLS. What we did not try (denied, not performed) tells nothing of the network.
_SILENT = frozenset(
    {
        Outcome.NAME_NOT_FOUND,
        Outcome.DNS_FAILURE,
        Outcome.DNS_TIMEOUT,
        Outcome.REFUSED,
        Outcome.UNREACHABLE,
        Outcome.CONNECT_TIMEOUT,
        Outcome.TLS_TIMEOUT,
        Outcome.RESET,
        Outcome.CLOSED,
        Outcome.NOT_TLS,
    }
)
_NOT_TRIED = frozenset({Outcome.DENIED, Outcome.NOT_PERFORMED})


@dataclass(frozen=True, slots=True)
class _Scan:
    """One scan of the window; `lost`: silent, though the host was well before."""

    host_id: UUID
    workspace_id: UUID
    domain: str
    lost: bool


@dataclass(slots=True)
class PoolHealth:
    """The last 200 scans of one process. `suspected_since` is when they began to look like a lost network."""

    suspected_since: datetime | None = None
    _scans: deque[_Scan] = field(default_factory=lambda: deque(maxlen=SCANS))
    _well_at: OrderedDict[UUID, datetime] = field(default_factory=OrderedDict)

    @property
    def is_suspect(self) -> bool:
        """True while the pool itself, rather than its targets, seems to be in trouble."""
        return self.suspected_since is not None

    def hear(self, request: ScanRequested, snapshot: Snapshot, *, at: datetime) -> Snapshot:
        """The same snapshot, marked if the pool is suspect with this scan counted in. `at` is UTC-aware."""
        if snapshot.outcome not in _NOT_TRIED:
            lost = _is_silent(snapshot) and self._was_well(request, at=self.suspected_since or at)
            self._scans.append(
                _Scan(snapshot.host_id, snapshot.target.workspace_id, _domain(snapshot.target.hostname), lost)
            )
            if snapshot.outcome is Outcome.OK:
                self._remember(snapshot.host_id, at)
            self._judge(at)
        return snapshot.model_copy(update={"pool_suspect": self.is_suspect})

    def _judge(self, at: datetime) -> None:
        lost = [scan for scan in self._scans if scan.lost]
        suspect = (
            2 * len(lost) > len(self._scans)
            and len({scan.host_id for scan in lost}) >= HOSTS_MIN
            and len({scan.domain for scan in lost}) >= DOMAINS_MIN
            # Nobody turns off everybody's alerts with hosts of his own.
            and len({scan.workspace_id for scan in lost}) >= min(2, len({scan.workspace_id for scan in self._scans}))
        )
        self.suspected_since = (self.suspected_since or at) if suspect else None

    def _was_well(self, request: ScanRequested, *, at: datetime) -> bool:
        """True if the host was met well not long before; not long before the trouble began, once it has."""
        times = [self._well_at.get(request.target.host_id)]
        if request.baseline is not None:
            times.append(request.baseline.requested_at)
            origin = request.baseline.posture_origin
            times.append(None if origin is None else origin.checked_at)
        return any(one is not None and at - one <= WELL_WITHIN for one in times)

    def _remember(self, host_id: UUID, at: datetime) -> None:
        self._well_at[host_id] = at
        self._well_at.move_to_end(host_id)
        if len(self._well_at) > _REMEMBERED:
            self._well_at.popitem(last=False)


def _is_silent(snapshot: Snapshot) -> bool:
    return snapshot.outcome in _SILENT and snapshot.tls_version is None and not snapshot.chain


def _domain(hostname: str) -> str:
    """The last two labels, or the network of a literal: too coarse rather than too fine."""
    if not is_ip_literal(hostname):
        return ".".join(hostname.split(".")[-2:])
    address = parse_address(hostname)
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
