"""Free loopback ports that stay the same from run to run."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"


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
    """A port the kernel says is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


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


class Ports:
    """Ports by name, kept in one JSON file; a port that somebody else has taken since is replaced."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._given: set[int] = set()

    def get(self, name: str) -> int:
        """The port of that name, free at this moment and not given to another name."""
        port = self._kept.get(name, 0)
        while port == 0 or port in self._given or not is_free(port):
            port = any_free()
        self._given.add(port)
        if self._kept.get(name) != port:
            self._kept[name] = port
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._kept, indent=1))
        return port
