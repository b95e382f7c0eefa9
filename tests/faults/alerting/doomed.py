"""A service that kills itself at a named point of its work.

python -m tests.faults.alerting.doomed alerter|notifier POINT
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import services.alerter.app
import services.notifier.app
from services.notifier.worker import Worker
from tests.faults.alerting.journal import CHANGELOGS
from tests.faults.streams import kill_points

ALERTER_POINTS = tuple(kill_points.POINTS)
NOTIFIER_POINTS = {
    "claimed": "the attempt is counted and committed, no request has left",
    "sent": "the receiver has answered, nothing of it is recorded",
    "recorded": "the end of the attempt is recorded, its event is in the outbox",
}
_ATTEMPT = 5  # the one that is the last


def _doomed_notifier(point: str) -> None:
    send: Callable[..., Awaitable[Any]] = Worker._send
    attempt: Callable[..., Awaitable[Any]] = Worker._attempt
    so_far = 0

    async def watched_send(*args: Any) -> Any:
        nonlocal so_far
        so_far += 1
        _reached("claimed")
        answer = await send(*args)
        _reached("sent")
        return answer

    async def watched_attempt(*args: Any) -> None:
        await attempt(*args)
        _reached("recorded")

    def _reached(here: str) -> None:
        if here == point and so_far >= _ATTEMPT:
            os.kill(os.getpid(), signal.SIGKILL)

    Worker._send = watched_send  # type: ignore[assignment,method-assign]
    Worker._attempt = watched_attempt  # type: ignore[assignment,method-assign]


def main() -> None:
    """Arms the process and runs the service."""
    service, point = sys.argv[1:]
    if service == "alerter":
        kill_points.install(point, rows=CHANGELOGS[0])
        services.alerter.app.main()
    elif point in NOTIFIER_POINTS:
        _doomed_notifier(point)
        services.notifier.app.main()
    else:
        sys.exit(f"no such point: {point}")


if __name__ == "__main__":
    main()
