"""A relay process that publishes a batch, says so on standard output, and never deletes it.

`python tests/fakes/stuck_relay.py <database url> <bootstrap> <topic prefix>`; made to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from psycopg.rows import DictRow

from services.api.relay import OUTBOX
from vigilo.adapters.kafka.producer import Producer
from vigilo.adapters.outbox import DELIVERY_TIMEOUT, OutboxRelay
from vigilo.adapters.postgres import Connection
from vigilo.adapters.settings import KafkaSettings


class StuckRelay(OutboxRelay):
    async def _delete(self, connection: Connection, rows: Iterable[DictRow]) -> None:
        print(f"published {len(list(rows))}", flush=True)
        await asyncio.sleep(3600)


def main(url: str, bootstrap: str, prefix: str) -> None:
    kafka = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    relay = StuckRelay(
        OUTBOX, url=url, producer=lambda: Producer(kafka, client_id="stuck", delivery_timeout=DELIVERY_TIMEOUT)
    )
    asyncio.run(relay.run())


if __name__ == "__main__":
    main(*sys.argv[1:])
