"""Ctrl-C and SIGTERM as a value to look at, so that nothing is cut off in the middle."""

from __future__ import annotations

import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A person asked to stop while things were still starting."""


class Interruption:
    """Counts the requests to stop from now on; must be made in the main thread."""

    def __init__(self) -> None:
        self.count = 0
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def check(self) -> None:
        """Raises Stopped once stopping was asked for."""
        if self.count:
            raise Stopped

    def again(self) -> bool:
        """True once stopping was asked for a second time."""
        return self.count > 1

    def sleep(self, seconds: float) -> None:
        """Wait so long, or less if a signal comes."""
        deadline = time.monotonic() + seconds
        while not self.count and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(0.2, left))
