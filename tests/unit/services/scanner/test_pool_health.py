"""A pool that loses its network is told from hosts that go down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from services.scanner.pool_health import HOSTS_MIN, SCANS, WELL_WITHIN, PoolHealth
from tests.fakes.scan_requests import light_request
from vigilo.events.ids import new_id
from vigilo.events.posture import PostureOrigin, PostureSource
from vigilo.events.scans import Baseline, Outcome, ScanRequested, Snapshot

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NAMES = UUID(int=1)


class Pool:
    """Hosts of one pool, scanned one after another, a second apart."""

    def __init__(self, *, domains: int = 10) -> None:
        self.health = PoolHealth()
        self.at = NOW
        self._domains = domains

    def scan(
        self,
        host: int,
        outcome: Outcome = Outcome.OK,
        *,
        well_at: datetime | None = NOW - timedelta(hours=1),
        hostname: str | None = None,
        workspace: int = 1,
        **seen: object,
    ) -> bool:
        """True if the snapshot came out marked."""
        self.at += timedelta(seconds=1)
        request = self._request(host, well_at, hostname, workspace)
        snapshot = Snapshot.model_validate(
            {
                "scan_id": request.scan_id,
                "target": request.target,
                "requested_at": self.at,
                "depth": request.depth,
                "reason": request.reason,
                "outcome": outcome,
                "finished_at": self.at,
                "scanner": "test",
                **seen,
            }
        )
        return self.health.hear(request, snapshot, at=self.at).pool_suspect

    def _request(
        self, host: int, well_at: datetime | None, hostname: str | None = None, workspace: int = 1
    ) -> ScanRequested:
        baseline = None if well_at is None else Baseline(scan_id=new_id(), requested_at=well_at)
        request = light_request(hostname or f"h{host}.d{host % self._domains}.test", baseline=baseline)
        target = request.target.model_copy(
            update={"host_id": uuid5(NAMES, str(host)), "workspace_id": UUID(int=workspace)}
        )
        return request.model_copy(update={"target": target})


def test_a_lost_network_is_suspected_after_half_the_window_and_until_half_of_it_is_well() -> None:
    pool = Pool()
    for host in range(SCANS):
        assert not pool.scan(host)
    marks = [pool.scan(host, Outcome.CONNECT_TIMEOUT) for host in range(SCANS)]
    assert marks == [False] * (SCANS // 2) + [True] * (SCANS // 2)
    marks = [pool.scan(host) for host in range(SCANS)]
    assert marks == [True] * (SCANS // 2 - 1) + [False] * (SCANS // 2 + 1)


def test_few_hosts_are_no_network() -> None:
    pool = Pool()
    assert not any(pool.scan(host % (HOSTS_MIN - 1), Outcome.UNREACHABLE) for host in range(SCANS))
    assert pool.scan(HOSTS_MIN, Outcome.UNREACHABLE)


def test_few_domains_are_no_network() -> None:
    pool = Pool(domains=4)
    assert not any(pool.scan(host, Outcome.DNS_TIMEOUT) for host in range(SCANS))
    assert pool.scan(1, Outcome.DNS_TIMEOUT, hostname="a.elsewhere.example")


def test_addresses_count_by_their_network() -> None:
    one = Pool()
    assert not any(one.scan(host, Outcome.REFUSED, hostname=f"10.0.0.{host}") for host in range(1, 100))
    several = Pool()
    assert any(several.scan(host, Outcome.REFUSED, hostname=f"10.0.{host % 5}.{host}") for host in range(1, 100))


def test_hosts_that_were_dead_before_say_nothing() -> None:
    long_ago = NOW - WELL_WITHIN - timedelta(hours=1)
    for well_at in (None, long_ago):
        pool = Pool()
        assert not any(pool.scan(host, Outcome.CONNECT_TIMEOUT, well_at=well_at) for host in range(SCANS))


def test_a_host_this_process_met_well_was_well_whatever_the_age_of_its_baseline() -> None:
    pool, long_ago = Pool(), NOW - timedelta(days=60)
    for host in range(SCANS):
        pool.scan(host, well_at=long_ago)
    assert any(pool.scan(host, Outcome.CONNECT_TIMEOUT, well_at=long_ago) for host in range(SCANS))


def test_a_posture_checked_lately_is_a_host_well_lately() -> None:
    pool, marks = Pool(), []
    origin = PostureOrigin(source=PostureSource.CHECKED, scan_id=new_id(), measured_at=NOW, checked_at=NOW)
    for host in range(SCANS):
        request = pool._request(host, NOW - timedelta(days=60), None)
        assert request.baseline is not None
        baseline = request.baseline.model_copy(update={"posture_origin": origin})
        request = request.model_copy(update={"baseline": baseline})
        snapshot = Snapshot(
            scan_id=request.scan_id,
            target=request.target,
            requested_at=NOW,
            depth=request.depth,
            reason=request.reason,
            outcome=Outcome.CONNECT_TIMEOUT,
            finished_at=NOW,
            scanner="test",
        )
        marks.append(pool.health.hear(request, snapshot, at=NOW).pool_suspect)
    assert any(marks)


def test_a_long_trouble_stays_one() -> None:
    pool = Pool()
    for host in range(SCANS):
        pool.scan(host, Outcome.CONNECT_TIMEOUT)
    began = pool.health.suspected_since
    pool.at += timedelta(days=3)
    assert all(pool.scan(host, Outcome.CONNECT_TIMEOUT) for host in range(SCANS * 2))
    assert pool.health.suspected_since == began


def test_who_spoke_tls_or_was_not_tried_is_not_lost() -> None:
    for outcome in (Outcome.TLS_ALERT, Outcome.TLS_FAILURE, Outcome.THROTTLED, Outcome.STARTTLS_REFUSED):
        pool = Pool()
        assert not any(pool.scan(host, outcome) for host in range(SCANS))
    spoke = Pool()
    assert not any(spoke.scan(host, Outcome.RESET, tls_version="TLSv1.2") for host in range(SCANS))


def test_what_was_not_tried_changes_nothing_but_is_marked_as_the_rest() -> None:
    pool = Pool()
    assert not any(pool.scan(host, Outcome.DENIED) for host in range(SCANS))
    assert any(pool.scan(host, Outcome.CONNECT_TIMEOUT) for host in range(HOSTS_MIN))
    assert all(pool.scan(host, Outcome.NOT_PERFORMED) for host in range(SCANS))


def test_one_workspace_among_several_cannot_make_the_pool_suspect() -> None:
    pool = Pool()
    for host in range(SCANS // 4):
        pool.scan(host, workspace=2)
    assert not any(pool.scan(host, Outcome.REFUSED) for host in range(SCANS // 4, SCANS))
    assert pool.scan(0, Outcome.REFUSED, workspace=2)
