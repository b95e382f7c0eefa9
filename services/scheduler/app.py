"""Wires the scheduler: `python -m services.scheduler.app`."""

from __future__ import annotations

from services.scheduler.decide import Scheduler
from services.scheduler.settings import SchedulerSettings
from vigilo.adapters.settings import read
from vigilo.adapters.streams.process import run_processor
from vigilo.events.topics import scan_topics


def main() -> None:
    """Runs until SIGTERM."""
    settings = read(SchedulerSettings)
    processor = Scheduler(pools=settings.pools, timing=settings.timing())
    requests = [topic for pool in settings.pools for topic in scan_topics(pool)]
    run_processor(processor, settings, output_topics=("snapshots", *requests))


if __name__ == "__main__":
    main()
