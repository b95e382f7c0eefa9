"""Waits with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


class LabTimeout(Exception):
    """What was waited for did not come in time."""


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, every: float = 0.1) -> None:
    """Returns once the condition holds. Raises LabTimeout after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabTimeout(f"{what}: not within {seconds} s")
        time.sleep(every)
