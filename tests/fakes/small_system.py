"""`vigilo up` with two services small enough to look at: run as a script, stopped by signals like the real one.

usage: small_system.py up             the launcher with these services
       small_system.py up slowly      the same, with a first task that lasts until $VIGILO_HOME/slow is removed
       small_system.py                one service: healthy, writes its life to $VIGILO_HOME/life.txt; ends with code 3
                               as long as $VIGILO_HOME/die-<name> exists
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from vigilo_cli.launcher import services
from vigilo_cli.launcher.up import up

PLAN = services.Plan(
    with_database=(
        services.Task("hello", "Greeting", ("-c", "import os; print(bool(os.environ['VIGILO_API_PASSWORD']))")),
    ),
    with_kafka=(),
    services=(
        services.Service("api", "tests.fakes.small_system", "api"),
        services.Service("worker", "tests.fakes.small_system"),
    ),
)

SLOW = services.Task(
    "slow",
    "Waiting",
    (
        "-c",
        "import os, pathlib, time; slow = pathlib.Path(os.environ['VIGILO_HOME'], 'slow'); slow.touch()\n"
        "while slow.exists(): time.sleep(0.05)",
    ),
)


def note(line: str) -> None:
    """Append a line to the shared life story."""
    with (Path(os.environ["VIGILO_HOME"]) / "life.txt").open("a") as story:
        story.write(f"{line}\n")


async def serve() -> int:
    """Serve health until SIGTERM."""
    from vigilo.adapters.health import Checks, HealthServer
    from vigilo.adapters.metrics import Metrics

    front = "VIGILO_READY_URLS" in os.environ
    name = "api" if front else "worker"
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, note, f"{name} got SIGINT")
    port = int(os.environ["VIGILO_PORT" if front else "VIGILO_HEALTH_PORT"])
    note(f"{name} started {os.getpid()} database={os.environ.get('VIGILO_DATABASE_URL', '').partition(':')[2][:13]}")
    async with HealthServer(port, Checks(), Metrics(name)):
        while not stop.is_set():
            if (Path(os.environ["VIGILO_HOME"]) / f"die-{name}").exists():
                print("no reason at all")
                return 3
            await asyncio.sleep(0.05)
    note(f"{name} stopped")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["up"]:
        sys.exit(up(PLAN if sys.argv[2:] == [] else replace(PLAN, with_kafka=(SLOW,))))
    sys.exit(asyncio.run(serve()))
