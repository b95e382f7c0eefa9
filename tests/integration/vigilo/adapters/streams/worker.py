"""Runs the counting processor as a process of its own: `python worker.py BOOTSTRAP PREFIX [STATUS-FILE]`."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from counting import Count, CountingProcessor  # type: ignore[import-not-found]

from vigilo.adapters.streams import StreamService, StreamSettings
from vigilo.ports.deadletters import StopLimit


def write_status(service: StreamService[Any], path: Path) -> None:
    """Replaces the status file."""
    status = service.status()
    fields = dataclasses.asdict(status)
    fields |= {"ready": status.ready, "healthy": status.healthy, "pid": os.getpid(), "keys": held_keys(service)}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(fields, default=list), encoding="utf-8")
    fresh.replace(path)


def held_keys(service: StreamService[Any]) -> list[int]:
    """Partitions of all rows in memory, whoever owns them."""
    loop = service.loop
    return [] if loop is None else sorted(p for p in loop.guard.rows.partitions() for _ in loop.guard.rows.rows_of(p))


async def report(service: StreamService[Any], path: Path) -> None:
    """Writes the status a few times a second."""
    while True:
        write_status(service, path)
        await asyncio.sleep(0.1)


def main() -> None:
    """Runs until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s")
    bootstrap, prefix = sys.argv[1:3]
    tasks: list[asyncio.Task[None]] = []

    async def start_health(service: StreamService[Count]) -> None:
        if len(sys.argv) > 3:
            tasks.append(asyncio.create_task(report(service, Path(sys.argv[3]))))

    settings = StreamSettings(
        bootstrap=bootstrap,
        topic_prefix=prefix,
        session_timeout_s=float(os.environ.get("SESSION_TIMEOUT_S", "8")),
        heartbeat_s=float(os.environ.get("HEARTBEAT_S", "2")),
        commit_interval_s=float(os.environ.get("COMMIT_INTERVAL_S", "1")),
        batch_size=int(os.environ.get("BATCH_SIZE", "200")),
    )
    limit = StopLimit(consecutive=int(os.environ.get("STOP_AFTER", "100")))
    service = StreamService(CountingProcessor(), settings, start_health=start_health, dead_letters=limit)
    service.run()
    if len(sys.argv) > 3:
        write_status(service, Path(sys.argv[3]))


if __name__ == "__main__":
    main()
