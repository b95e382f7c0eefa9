"""Our full scan beside sslyze's and sslscan's: the same nginx, the same questions, in turns, in the same run.

Each scans one server after the other, in a process of its own that is warm; sslscan, a program without a library, is
started for each scan. sslyze is AGPL: it lives in an environment of its own outside the project, run as a program.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bench.figures import report
from tests.fakes.distribution import CACHE, running, unpacked
from tests.fakes.pki import Authority
from tests.fakes.slow_link import slow_link

HERE = Path(__file__).parent
NAME = "a.test"
ROUNDS = 10
SCANS = int(os.environ.get("VIGILO_BENCH_SCANS", "200")) // ROUNDS or 1  # of each, each round
_PACKAGE = "sslyze==6.3.1"
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384"
)
_NGINX = """
daemon off; worker_processes 1; worker_rlimit_nofile 16384; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2; server_name a.test; return 200;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers {ciphers}; ssl_prefer_server_ciphers on;
  }}
}}
"""


class Cost(NamedTuple):
    """Of one scan: seconds by the clock, seconds of CPU."""

    wall: float
    cpu: float


Peer = Callable[[int], Cost]


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """The port of nginx with TLS 1.2 (five suites) and 1.3."""
    leaf = Authority.create().leaf(NAME)
    (folder / "cert.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in leaf.chain))
    key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, ciphers=_CIPHERS))
    files = unpacked("nginx")
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with running(command, files=files, etc={}, folder=folder, port=port):
        yield port


def driver(stack: ExitStack, python: str, script: str, port: int) -> Peer:
    """A process that scans in steady state; its own figures."""
    process = subprocess.Popen(
        [python, *((script,) if script.endswith(".py") else ("-m", script)), NAME, "127.0.0.1", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parent.parent,
    )
    stack.callback(process.wait, 30)
    assert process.stdin is not None
    assert process.stdout is not None
    stack.callback(process.stdin.close)
    say, hear = process.stdin, process.stdout

    def scan(count: int) -> Cost:
        say.write(f"{count}\n")
        say.flush()
        line = hear.readline()
        assert line, f"{script} died"
        took = json.loads(line)
        return Cost(took["wall"] / count, took["cpu"] / count)

    return scan


def sslyze(stack: ExitStack, port: int) -> Peer | None:
    """sslyze's library in an interpreter of its own, made by uv in the cache folder; None where it cannot be had."""
    folder = CACHE.parent / "tools" / "sslyze"
    python = folder / "bin" / "python"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if not python.exists() and uv is not None:
        subprocess.run([uv, "venv", "-q", "--python", "3.11", str(folder)], check=False, timeout=120)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), _PACKAGE], check=False, timeout=300)
    if not python.exists() or subprocess.run([python, "-c", "import sslyze"], check=False).returncode != 0:
        return None
    return driver(stack, str(python), str(HERE / "peer_sslyze.py"), port)


def sslscan(port: int) -> Peer:
    """sslscan, started for each scan."""
    program = unpacked("sslscan") / "usr" / "bin" / "sslscan"
    command = [str(program), "--no-colour", f"--sni-name={NAME}", f"127.0.0.1:{port}"]

    def scan(count: int) -> Cost:
        before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        for _ in range(count):
            done = subprocess.run(command, check=True, capture_output=True, timeout=60)
            assert b"ECDHE-ECDSA-AES256-GCM-SHA384" in done.stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost((time.perf_counter() - wall) / count, cpu / count)

    return scan


def _print(name: str, costs: list[Cost]) -> None:
    wall, cpu = (median(one[part] for one in costs) * 1000 for part in (0, 1))
    report(f"full scan of nginx by {name}", f"{wall:.1f} ms, {cpu:.1f} ms of CPU")


def _print_ratios(name: str, ours: list[Cost], theirs: list[Cost], target: str) -> None:
    """Of rounds beside each other: what crowds the machine crowds both."""
    wall, cpu = (median(our[part] / their[part] for our, their in zip(ours, theirs, strict=True)) for part in (0, 1))
    report(f"Vigilo / {name}", f"clock 1/{1 / wall:.1f}, CPU 1/{1 / cpu:.1f}", target=target)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_full_scan_beside_its_peers(tmp_path: Path) -> None:
    print()
    with ExitStack() as stack:
        port = stack.enter_context(nginx(tmp_path))
        peers: dict[str, Peer | None] = {
            "Vigilo": driver(stack, sys.executable, "tests.bench.peer_vigilo", port),
            "sslyze": sslyze(stack, port),
            "sslscan": sslscan(port),
        }
        for name in [name for name, peer in peers.items() if peer is None]:
            report(f"full scan of nginx by {name}", "SKIPPED: cannot be had on this machine")
        present = {name: peer for name, peer in peers.items() if peer is not None}
        for peer in present.values():
            peer(2)  # warm
        costs: dict[str, list[Cost]] = {name: [] for name in present}
        for _ in range(ROUNDS):
            for name, peer in present.items():
                costs[name].append(peer(SCANS))
    for name, measured in costs.items():
        _print(name, measured)
    targets = {"sslyze": "clock 1/10, CPU 1/15", "sslscan": "clock 1/3, CPU 1/1"}
    for name in costs.keys() & targets.keys():
        _print_ratios(name, costs["Vigilo"], costs[name], targets[name])
    assert all(len(measured) == ROUNDS for measured in costs.values())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_full_scan_of_a_far_server(tmp_path: Path) -> None:
    print()
    with ExitStack() as stack:
        near = stack.enter_context(nginx(tmp_path))
        far = stack.enter_context(slow_link(near, round_trip_seconds=0.05))
        scan = driver(stack, sys.executable, "tests.bench.peer_vigilo", far)
        costs = [scan(1) for _ in range(6)][1:]
    wall = median(cost.wall for cost in costs)
    report("full scan of nginx, 50 ms of round trip away", f"{wall:.2f} s", target="<= 2 s")
    assert all(cost.wall > 0 for cost in costs)
