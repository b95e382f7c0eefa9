"""Wires the scheduler: `python -m services.scheduler.app`."""

from __future__ import annotations

from services.scheduler.decide import Scheduler
from services.scheduler.pools import Pools
from services.scheduler.settings import SchedulerSettings
from vigilo.adapters.settings import read
from vigilo.adapters.streams.process import run_processor
from vigilo.events.topics import PUBLIC_POOL, scan_topics


def main() -> None:
    """Runs until SIGTERM."""
    settings = read(SchedulerSettings)
    pools = Pools()
    processor = Scheduler(pools_of=pools.of, timing=settings.timing())
    run_processor(processor, settings, output_topics=("snapshots", *scan_topics(PUBLIC_POOL)), broadcasts=(pools,))


if __name__ == "__main__":
    main()
