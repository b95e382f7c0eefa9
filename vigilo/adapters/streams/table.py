"""A table with a changelog whose rows are written to the partition of their event, and whose writes are awaited."""

from __future__ import annotations

import asyncio
from typing import Any

import faust

from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.store import PartitionStore


class ChangelogTable(faust.Table):  # type: ignore[type-arg]
    """Raw bytes in and out. Use `put` and `row`, never `table[key]`: that writes to the partition of whatever event
    the stream is at, and drops the acknowledgement.
    """

    hooks: Hooks

    def _new_store(self) -> PartitionStore:
        return PartitionStore("memory://", self.app, self, table_name=self.name)

    @property
    def rows(self) -> PartitionStore:
        """The rows in memory."""
        store: Any = self.data
        rows: PartitionStore = store
        return rows

    async def on_start(self) -> None:
        """Starts the store; the changelog topic exists already and is never declared."""
        await self.add_runtime_dependency(self.data)

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row of a key."""
        return self.rows.get_row(partition, key)

    async def put(self, partition: int, key: bytes, value: bytes | None) -> asyncio.Future[Any]:
        """Sets a row (None removes it) here and in the changelog; the future is the changelog's acknowledgement."""
        topic = self.changelog_topic.get_topic_name()
        generation = self.app.consumer_generation_id
        acknowledgement = await self.hooks.outlet.write(topic, key, value, partition=partition)
        self.rows.set_row(partition, key, value)
        acknowledgement.add_done_callback(lambda done: self._remember(done, partition, generation))
        return acknowledgement

    def _remember(self, done: asyncio.Future[Any], partition: int, generation: int) -> None:
        # A partition that stays with us over a rebalance need not be read again up to here: without this each
        # rebalance reads all that was written since the last one. What an earlier assignment wrote does not count:
        # the rows may have gone and be in recovery.
        if done.cancelled() or done.exception() is not None or generation != self.app.consumer_generation_id:
            return
        tables: Any = self.app.tables
        recovery = tables.recovery
        tp = faust.types.TP(self.changelog_topic.get_topic_name(), partition)
        known = recovery.active_offsets.get(tp)
        if tp in recovery.active_tps and known is not None and done.result().offset > known:
            recovery.active_offsets[tp] = done.result().offset
