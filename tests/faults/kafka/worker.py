"""A process that works on records in random order and writes down what it finished; killed by its test."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from vigilo.adapters.kafka.consumer import Taken, WorkConsumer
from vigilo.adapters.settings import KafkaSettings


async def main(bootstrap: str, prefix: str, journal: Path) -> None:
    """Works until it is killed. A record is in the journal before it may be committed."""
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    running: set[asyncio.Task[None]] = set()

    with journal.open("a", buffering=1) as out:

        async def work(taken: Taken) -> None:
            await asyncio.sleep(random.uniform(0, 0.05))
            out.write(f"{taken.record.topic} {taken.record.partition} {taken.record.offset}\n")
            taken.done()

        async with WorkConsumer(settings, ["fast", "slow"], group="w", max_in_flight=32, reserved=4) as consumer:
            async for taken in consumer:
                task = asyncio.create_task(work(taken))
                running.add(task)
                task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
