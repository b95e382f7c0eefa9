"""A broker and a database of the lab's own, which may be killed and come back where they were."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigilo_cli.launcher.database import WheelPostgres
from vigilo_cli.launcher.home import open_home
from vigilo_cli.launcher.kafka import JavaKafka
from vigilo_cli.launcher.server import Server


class OwnServer:
    """A local server process; same port and data after each start. Raises CannotStart where it cannot run."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.address = self._server.start()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        child = self._server.child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        self._server.stop()

    def start(self) -> None:
        """Starts it again and waits until it is ready."""
        assert self._server.start() == self.address


@contextmanager
def own_broker(folder: Path) -> Iterator[OwnServer]:
    """Apache Kafka."""
    yield from _running(JavaKafka(open_home(folder), heap_mb=768))


@contextmanager
def own_database(folder: Path) -> Iterator[OwnServer]:
    """PostgreSQL; `address` is a superuser's URL. Commits are flushed: this one is killed."""
    yield from _running(WheelPostgres(open_home(folder)))


def _running(server: Server) -> Iterator[OwnServer]:
    try:
        yield OwnServer(server)
    finally:
        server.stop()
