"""An ordinary worker on stock Faust 0.15.3, as its documentation would have it: one agent, one table.

python -m tests.faults.streams.stock_worker CONFIG.json
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import faust

from tests.faults.streams import job
from tests.faults.streams.job import JobConfig, Journal


class StockJob:
    """The agent's body and what it writes to."""

    def __init__(self, config: JobConfig, app: Any) -> None:
        self._config = config
        self._app = app
        self._journal = Journal(config.journal)
        self._results = app.topic(config.prefix + job.RESULTS, key_type=str, key_serializer="raw", value_type=bytes)
        self._table = app.Table(job.TABLE, partitions=job.PARTITIONS, default=dict, key_type=str)

    async def one_by_one(self, stream: Any) -> None:
        """Applies each event as it comes; Faust acknowledges it when the next one is asked for."""
        async for event in stream.events():
            await self._apply(event)
            if self._config.pause_ms:
                await asyncio.sleep(self._config.pause_ms / 1000)

    async def in_batches(self, stream: Any) -> None:
        """Collects events, applies them, acknowledges them: the loop people write for speed."""
        async for batch in self._batches(stream):
            for event in batch:
                await self._apply(event)
                event.ack()

    async def _batches(self, stream: Any) -> AsyncIterator[list[Any]]:
        batch: list[Any] = []
        async for event in stream.noack().events():
            batch.append(event)
            if len(batch) >= self._config.batch:
                yield batch
                batch = []

    async def _apply(self, event: Any) -> None:
        work = event.value
        if work.get("raises"):
            raise RuntimeError("the job cannot do this one")
        before = self._table[event.key].get("count", 0)
        row = {"count": before + 1, "by": self._config.name, "pad": job.padding(work["n"], work.get("grow", 0))}
        self._table[event.key] = row
        partition, offset = event.message.partition, event.message.offset
        await self._results.send(
            key=event.key,
            value=json.dumps({"n": work["n"], "count": before + 1}).encode(),
            headers={"ce_id": str(job.result_id(partition, offset)).encode()},
        )
        self._journal.note(partition, offset)

    def snapshot(self) -> None:
        """Writes down what the store holds; runs on SNAPSHOT_SIGNAL."""
        job.write_snapshot(
            self._config.snapshot,
            counts={key: row["count"] for key, row in self._table.items()},
            assigned=[tp.partition for tp in self._app.assignor.assigned_actives() if tp.topic.endswith(job.WORK)],
        )


def build(config: JobConfig) -> Any:
    """The Faust app with its agent."""
    app = faust.App(
        config.prefix + job.SERVICE,
        broker=f"kafka://{config.bootstrap}",
        broker_session_timeout=job.SESSION_TIMEOUT_S,
        broker_heartbeat_interval=2.0,
        topic_partitions=job.PARTITIONS,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=f"{config.journal}.faust",
    )
    work = app.topic(config.prefix + job.WORK, key_type=str, key_serializer="raw", value_serializer="json")
    stock = StockJob(config, app)
    app.agent(work, name="count")(stock.one_by_one if config.batch == 1 else stock.in_batches)

    @app.task  # type: ignore[untyped-decorator]
    async def listen() -> None:
        asyncio.get_running_loop().add_signal_handler(job.SNAPSHOT_SIGNAL, stock.snapshot)
        app.log.info(job.ANSWERING)

    return app


def main() -> None:
    """Runs the worker until it is told to stop."""
    app = build(JobConfig.load(sys.argv[1]))
    faust.Worker(app, loglevel="info").execute_from_commandline()


if __name__ == "__main__":
    main()
