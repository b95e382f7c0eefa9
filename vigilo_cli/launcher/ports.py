"""Free loopback ports that stay the same from run to run."""

from __future__ import annotations

import json
import random
import socket
import threading
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
CHOICE = (20_000, 32_000)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a listener can be opened on that port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_free() -> int:
    """A free port below those the kernel hands to outgoing connections, which could take it between two runs."""
    while True:
        port = random.randrange(*CHOICE)
        if is_free(port):
            return port


def user_of(port: int) -> str:
    """Who listens on that port, for a message; "another program" if the system does not say."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr
            if listens and getattr(connection.laddr, "port", None) == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another program"


def listens(pid: int, port: int) -> bool:
    """True if that process itself listens on that port; True too where the system does not say."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and getattr(one.laddr, "port", None) == port for one in connections)


class Ports:
    """Ports by name, kept in one JSON file; a port that somebody else has taken since is replaced. For all threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = _read(file)
        self._given: dict[str, int] = {}
        self._lock = threading.Lock()

    def reserve(self, port: int) -> None:
        """Never give this one to anybody: a person chose it."""
        with self._lock:
            self._given[f"reserved-{port}"] = port

    def get(self, name: str) -> int:
        """The port of that name: free when first asked for, the same ever after."""
        with self._lock:
            if name not in self._given:
                self._given[name] = self._choose(name)
                self._kept[name] = self._given[name]
                self._file.write_text(json.dumps(self._kept, indent=1, sort_keys=True))
            return self._given[name]

    def kept(self, name: str) -> int | None:
        """The port of that name in an earlier run, or in one that is under way; None if there was none."""
        return self._kept.get(name)

    def given(self) -> frozenset[int]:
        """Every port this run listens on."""
        with self._lock:
            return frozenset(self._given.values())

    def _choose(self, name: str) -> int:
        port = self._kept.get(name) or any_free()
        while port in self._given.values() or not is_free(port):
            port = any_free()
        return port


def _read(file: Path) -> dict[str, int]:
    try:
        kept = json.loads(file.read_text())
        return {str(name): int(port) for name, port in kept.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
