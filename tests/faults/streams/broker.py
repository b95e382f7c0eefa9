"""A Kafka broker of the lab's own, which can be stopped for a while: a garbage collection, a stalled disk."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from vigilo_cli.launcher.home import open_home
from vigilo_cli.launcher.kafka import JavaKafka


class PausableBroker:
    """Apache Kafka as a local process. Raises CannotStart where there is no Java or no jars."""

    def __init__(self, folder: Path) -> None:
        self._server = JavaKafka(open_home(folder))
        self.bootstrap = self._server.start()

    def pause(self, seconds: float) -> None:
        """Nothing is answered for that long; connections stay."""
        child = self._server.child
        assert child is not None
        os.kill(child.pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(child.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ends the broker."""
        self._server.stop()
