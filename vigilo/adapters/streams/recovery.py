"""Recovery that sets the consumer to the committed offsets before it lets records flow.

Faust 0.15.3 resumes the stream's partitions first, while its fetcher runs: what is fetched in between is wiped or
leaves a false gap that counts as acknowledged. Measured over four rounds of SIGKILL and restart, 15,000 messages:
215 committed but never processed; with this order none.
"""

from __future__ import annotations

from typing import Any

from aiokafka.errors import IllegalStateError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery, ServiceStopped
from mode import Service

from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.hooks import Hooks


class SeekFirstRecovery(Recovery):
    """Seek, let the service look at its rows, then resume."""

    hooks: Hooks

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Partitions seen with a position beyond their end, and the fetches begun by then.
        self._beyond: dict[Any, int] = {}

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Lets records flow after recovery. As in Faust 0.15.3, but for the order and the hooks."""
        app: Any = self.app
        consumer = app.consumer
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        for table in self.tables.values():
            await table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
        assignment = consumer.assignment()
        if app.consumer_generation_id != generation_id:
            return
        inputs = frozenset(tp for tp in assignment if tp.topic in self.hooks.inputs)
        if assignment:
            await self._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
            await self._wait(self.hooks.recovered(inputs))
        consumer.resume_partitions(inputs)
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        self.hooks.resumed()

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        try:
            await super()._wait(coro, timeout=timeout)
        except ServiceStopped as error:
            if not self.should_stop and not self.crashed:
                # A timeout looks like a stop; Faust would leave its recovery task and wait for ever.
                self.hooks.end("a step of recovery took too long", error)
            raise

    async def _seek_offsets(self, *args: Any) -> None:
        await super()._seek_offsets(*args)
        self._beyond = {}

    @Service.task
    async def _pass_absent_ends(self) -> None:
        """Ends the wait for changelog records that are not there: the last ones were compacted away or are markers.

        A position beyond the end proves little: Faust's fetcher may have the records in hand while its queue runs
        empty, and passing over them loses the end of a partition's rows (measured on a busy machine: in two of
        twelve recoveries). Two fetches later everything has been handed over, and the queue, empty then, has been read.
        """
        while not self.should_stop:
            await self.sleep(1.0)
            if self.in_recovery:
                await self._look_for_absent_ends()

    async def _look_for_absent_ends(self) -> None:
        consumer: Any = self.app.consumer
        known = self._beyond
        absent = await self._absent_ends()
        if known is not self._beyond or not self.in_recovery:
            return  # the positions were set anew meanwhile
        fetches = consumer.fetches
        self._beyond = {tp: known.get(tp, fetches) for tp in absent}
        if self.tables.changelog_queue.empty():
            for tp, seen_at in self._beyond.items():
                if fetches >= seen_at + 2:
                    self.active_offsets[tp] = self.active_highwaters[tp]

    async def _absent_ends(self) -> set[Any]:
        wanted = {tp for tp, missing in self.active_remaining().items() if missing > 0}
        try:
            reached = {tp: await self.app.consumer.position(tp) for tp in wanted}
        except IllegalStateError:  # a rebalance has taken one of them
            return set()
        return {
            tp for tp, position in reached.items() if position is not None and position > self.active_highwaters[tp]
        }


class SeekFirstTableManager(TableManager):
    """A table manager with our recovery."""

    hooks: Hooks

    @property
    def recovery(self) -> SeekFirstRecovery:
        """The recovery service of this app."""
        if self._recovery is None:
            self._recovery = SeekFirstRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
            self._recovery.hooks = self.hooks
        if not isinstance(self._recovery, SeekFirstRecovery):
            raise InvariantBroken("another recovery than ours is in place")
        return self._recovery

    async def on_rebalance(
        self, assigned: set[Any], revoked: set[Any], newly_assigned: set[Any], generation_id: int = 0
    ) -> None:
        """Reads new partitions from their beginning: their rows in memory are none.

        Faust may still know an offset of a partition that went and comes back: a rebalance overtaken by the next one
        drops rows but not offsets, and a late changelog record leaves one behind.
        """
        for tp in newly_assigned:
            self.recovery.revoke(tp)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
