"""Servers of the Debian distribution, not installed: unpacked into a cache, laid over the machine's own files.

Needs apt, root and mount namespaces; a test that cannot have them is skipped and says why.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

CACHE = Path.home() / ".cache" / "vigilo-tests" / "debian"
_START_SECONDS = 15.0
_ACCOUNTS = "dovecot:x:901:901::/:/bin/false\ndovenull:x:902:902::/:/bin/false\npostfix:x:903:903::/:/bin/false\n"
_GROUPS = "dovecot:x:901:\ndovenull:x:902:\npostfix:x:903:\npostdrop:x:904:\n"
# A mount namespace of its own: what is laid over /usr and /etc is seen by this process and its children only.
_OVERLAY = (
    'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && '
    'mount -t overlay overlay -o "lowerdir=$2:$1/etc:/etc" /etc && shift 2 && exec "$@"'
)


def unpacked(*packages: str) -> Path:
    """The folder with the packages' files. Skips the test when they cannot be had."""
    for tool in ("apt-get", "dpkg", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} on this machine")
    if os.getuid() != 0:
        pytest.skip("laying files over /usr needs root")
    folder = CACHE / "+".join(packages)
    if not folder.is_dir():
        _download(packages, folder)
    nothing = CACHE / "nothing"
    nothing.mkdir(exist_ok=True)
    try_out = subprocess.run([*_within(folder, nothing), "true"], capture_output=True, check=False, timeout=20)
    if try_out.returncode != 0:
        pytest.skip(f"no mount namespaces: {try_out.stderr.decode(errors='replace')[:200]}")
    return folder


def _download(packages: tuple[str, ...], folder: Path) -> None:
    debs = CACHE / f"{folder.name}.{os.getpid()}"
    debs.mkdir(parents=True)
    try:
        got = subprocess.run(
            ["apt-get", "download", *packages], cwd=debs, capture_output=True, check=False, timeout=90, text=True
        )
        if got.returncode != 0:
            pytest.skip(f"apt-get download {' '.join(packages)}: {got.stderr.strip()[-200:]}")
        for deb in sorted(debs.glob("*.deb")):
            subprocess.run(["dpkg", "-x", deb, debs / "root"], check=True, timeout=60)
        (debs / "root" / "etc").mkdir(exist_ok=True)  # not every package has one, and it is laid over /etc
        with contextlib.suppress(OSError):  # another test run was quicker
            (debs / "root").rename(folder)
    finally:
        shutil.rmtree(debs, ignore_errors=True)


def _within(files: Path, etc: Path) -> list[str]:
    # Daemons leave every group and session; the end of their process namespace's first one ends them all.
    return ["unshare", "--mount", "--pid", "--fork", "sh", "-c", _OVERLAY, "sh", str(files), str(etc)]


@contextmanager
def running(command: list[str], *, files: Path, etc: Mapping[str, str], folder: Path, port: int) -> Iterator[Path]:
    """The server, once `port` answers; the path is its log. `etc` maps paths below /etc to contents."""
    accounts = {
        "passwd": Path("/etc/passwd").read_text() + _ACCOUNTS,
        "group": Path("/etc/group").read_text() + _GROUPS,
    }
    for name, text in {**accounts, **etc}.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([*_within(files, folder / "etc"), *command], stdout=out, stderr=out)
    try:
        wait_for(port, server, log)
        yield log
    finally:
        for child in psutil.Process(server.pid).children():
            child.kill()
        server.wait(5)


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the port answers; raises AssertionError, with the end of its log, when it does not come up."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError(f"{server.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")
