"""The whole system, measured as its user meets it: start, add to visible, cost at rest, bytes per snapshot."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.bench.figures import quantile, report
from tests.e2e.vigilo import Vigilo, eventually, system
from tests.fakes.dns_server import Answer, DnsServer
from tests.fakes.hostile_server import black_hole
from tests.fakes.pki import Authority, expiring
from tests.fakes.slow_link import slow_link
from tests.fakes.tls_server import Serving, TlsServer
from vigilo_cli.launcher.database import PASSWORD_FILE, SUPERUSER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

ADDS = 100
TROUBLED_ADDS = 200
AT_ONCE = 8
REST_SECONDS = 30.0
AUTHORITY = Authority.create("Bench")
NAMES = {
    "slow.vigilo.test": Answer(("127.0.0.1",), delay=2.0),
    "holed.vigilo.test": Answer(("127.0.0.1",), aaaa=("::1",)),
    "here.vigilo.test": Answer(("127.0.0.1",)),
}


@pytest.fixture(scope="module")
def names() -> Iterator[DnsServer]:
    with DnsServer(NAMES) as server:
        yield server


@pytest.fixture(scope="module")
def vigilo(tmp_path_factory: pytest.TempPathFactory, names: DnsServer) -> Iterator[Vigilo]:
    home = tmp_path_factory.mktemp("bench") / "home"
    dns = "{}:{}".format(*names.address)
    for what in ("the first time", "the second time"):
        started = time.monotonic()
        with ExitStack() as stack:
            running = stack.enter_context(system(home, VIGILO_DNS_SERVERS=dns))
            report(f"`vigilo up` until ready, {what}", f"{time.monotonic() - started:.1f} s")
            if what == "the second time":
                yield running


def seconds_to_snapshot(vigilo: Vigilo, hostname: str, port: int) -> float:
    """From sending the POST until the first snapshot can be read."""
    started = time.monotonic()
    host = vigilo.add_host(hostname, port, interval="24h")
    eventually(lambda: vigilo.latest(host), f"{hostname}:{port} seen", seconds=30)
    return time.monotonic() - started


def print_latencies(what: str, seconds: list[float], *, target: str) -> None:
    p50, p99 = quantile(seconds, 0.5), quantile(seconds, 0.99)
    report(f"{what}, {len(seconds)} adds", f"p50 {p50:.3f} s  p99 {p99:.3f} s", target=target)


def test_add_to_visible(vigilo: Vigilo) -> None:
    leaf = expiring("127.0.0.1", in_=timedelta(days=80), issuer=AUTHORITY.intermediate)
    with ExitStack() as stack:
        servers = [stack.enter_context(TlsServer(Serving(leaf))) for _ in range(ADDS)]
        seconds_to_snapshot(vigilo, "127.0.0.1", stack.enter_context(TlsServer(Serving(leaf))).port)
        seconds = [seconds_to_snapshot(vigilo, "127.0.0.1", server.port) for server in servers]
    print_latencies("add to visible, live hosts one after another", seconds, target="p50 <= 0.5 s, p99 <= 1.5 s")


def test_add_to_visible_when_nothing_is_well(vigilo: Vigilo) -> None:
    leaf = expiring("here.vigilo.test", in_=timedelta(days=80), issuer=AUTHORITY.intermediate)
    with ExitStack() as stack:
        tasks: list[tuple[str, int]] = []
        for number in range(TROUBLED_ADDS // 5):
            server = stack.enter_context(TlsServer(Serving(leaf)))
            far = stack.enter_context(slow_link(server.port, round_trip_seconds=0.1))
            hole = stack.enter_context(black_hole("::1"))
            stack.enter_context(TlsServer(Serving(leaf), port=hole))
            tasks += [
                ("127.0.0.1", number + 1),
                (f"no-{number}.vigilo.test", 443),
                ("slow.vigilo.test", server.port),
                ("holed.vigilo.test", hole),
                ("here.vigilo.test", far),
            ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            seconds = list(pool.map(lambda task: seconds_to_snapshot(vigilo, *task), tasks))
    kinds = ("dead host", "NXDOMAIN", "2 s DNS", "black-holed IPv6", "100 ms round trip")
    for offset, kind in enumerate(kinds):
        print_latencies(f"add to visible, {kind}, {AT_ONCE} at once", seconds[offset::5], target="")
    print_latencies(f"add to visible, all of these, {AT_ONCE} at once", seconds, target="p99 <= 5 s")


def processes(vigilo: Vigilo) -> list[psutil.Process]:
    """The launcher and everything below it."""
    leader = psutil.Process(vigilo.running.process.pid)
    found = {leader.pid: leader, **{child.pid: child for child in leader.children(recursive=True)}}
    for pid in vigilo.running.recorded().values():
        top = psutil.Process(pid)
        found |= {pid: top, **{child.pid: child for child in top.children(recursive=True)}}
    return list(found.values())


def seconds_used(process: psutil.Process) -> float:
    """CPU seconds since the process started."""
    return float(sum(process.cpu_times()[:2]))


def label(process: psutil.Process) -> str:
    """What it is, in a word or two; all of PostgreSQL's many processes are one."""
    words = process.cmdline()
    if process.name().startswith("postgres"):
        return "postgres, all processes"
    if "java" in process.name():
        return "kafka"
    return words[words.index("-m") + 1] if "-m" in words else process.name()


def test_cost_at_rest(vigilo: Vigilo) -> None:
    everything = processes(vigilo)
    before = {one.pid: seconds_used(one) for one in everything}
    time.sleep(REST_SECONDS)
    resident: Counter[str] = Counter()
    shared_once: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for one in everything:
        resident[label(one)] += one.memory_info().rss
        shared_once[label(one)] += one.memory_full_info().pss
        used[label(one)] += round(1e6 * (seconds_used(one) - before[one.pid]))
    rest = "the whole system at rest"
    report(f"{rest}, resident memory summed (RSS)", mebibytes(resident.total()), target="<= 1,536 MiB")
    report(f"{rest}, shared pages counted once (PSS)", mebibytes(shared_once.total()))
    report(f"{rest}, processor", of_a_core(used.total()), target="<= 10 % of a core")
    for name, size in resident.most_common():
        report(
            f"  {name}, RSS; PSS; processor",
            f"{mebibytes(size)}; {mebibytes(shared_once[name])}; {of_a_core(used[name])}",
        )


def mebibytes(size: int) -> str:
    """A size in memory."""
    return f"{size / 2**20:,.0f} MiB"


def of_a_core(microseconds: int) -> str:
    """CPU microseconds of the time at rest, in percent of one core."""
    return f"{microseconds / REST_SECONDS / 1e4:.1f} %"


def folder_bytes(folder: Path, pick: Callable[[Path], bool]) -> int:
    """Bytes of the files that `pick` wants."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and pick(path))


def test_bytes_per_snapshot(vigilo: Vigilo) -> None:
    """Light scans of an unchanged host, which is what a fleet sends nearly always."""
    scans = 200
    leaf = expiring("127.0.0.1", in_=timedelta(days=80), issuer=AUTHORITY.intermediate)
    kafka, url = vigilo.running.home / "kafka", admin_url(vigilo)
    topics = ("snapshots", "report-cards", "scan-requested*", "*-changelog", "hosts", "host-commands", "*-wakeups")
    with ExitStack() as stack:
        servers = [stack.enter_context(TlsServer(Serving(leaf))) for _ in range(20)]
        hosts = [vigilo.add_host("127.0.0.1", server.port, interval="24h") for server in servers]
        for host in hosts:
            eventually(lambda host=host: vigilo.latest(host), "seen")  # type: ignore[misc]
        before = {topic: log_bytes(kafka, topic) for topic in topics}, table_bytes(url)
        done = 0
        while done < scans:
            for host in hosts:
                answer = vigilo.client.post(f"hosts/{host}/scan")
                done += answer.status_code == 202
            time.sleep(10.5)  # a person may ask for a host's scan every ten seconds
        time.sleep(3)
        after = {topic: log_bytes(kafka, topic) for topic in topics}, table_bytes(url)
    for topic in topics:
        report(f"Kafka, {topic}, per light scan", f"{(after[0][topic] - before[0][topic]) / scans:,.0f} bytes")
    report(
        "Kafka, all of these, per light scan",
        f"{(sum(after[0].values()) - sum(before[0].values())) / scans:,.0f} bytes",
    )
    report("PostgreSQL, read model with indexes, per light scan", f"{(after[1] - before[1]) / scans:,.0f} bytes")


def log_bytes(kafka: Path, topics: str) -> int:
    """Bytes of the segments of topics by a pattern (index files are sparse and preallocated: not counted)."""

    def wanted(path: Path) -> bool:
        topic = path.parent.name.rpartition("-")[0].removeprefix("vigilo-")
        return path.suffix == ".log" and fnmatch(topic, topics)

    return folder_bytes(kafka, wanted)


def admin_url(vigilo: Vigilo) -> str:
    """The superuser's URL of the launcher's own PostgreSQL."""
    home = vigilo.running.home
    password = (home / PASSWORD_FILE).read_text().strip()
    port = json.loads((home / "ports.json").read_text())["postgres"]
    return f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres"


def table_bytes(url: str) -> int:
    """Size of the read model's tables, indexes included."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = 'read_model' and c.relkind = 'r'"
        ).fetchone()
        return int(row[0]) if row and row[0] else 0
