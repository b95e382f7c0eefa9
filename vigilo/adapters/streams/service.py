"""One stateful stream service as a process: topics, broadcasts, the Faust app, timers, a graceful or an abrupt end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from vigilo.adapters.streams.app import HookedApp
from vigilo.adapters.streams.aside import Aside
from vigilo.adapters.streams.broadcast import BroadcastReader
from vigilo.adapters.streams.ending import end_process
from vigilo.adapters.streams.hooks import Hooks
from vigilo.adapters.streams.loop import Loop
from vigilo.adapters.streams.outlet import Outlet
from vigilo.adapters.streams.owned import Row, utc_now
from vigilo.adapters.streams.ownership import Ownership
from vigilo.adapters.streams.positions import Positions, TopicPartition
from vigilo.adapters.streams.report import Reporter
from vigilo.adapters.streams.resume import ends_of, survey_all
from vigilo.adapters.streams.settings import StreamSettings
from vigilo.adapters.streams.sources import check_sources
from vigilo.adapters.streams.status import StreamStatus
from vigilo.adapters.streams.timers import Timers
from vigilo.adapters.streams.topics import TopicFacts, await_topics, shared_partition_count, until
from vigilo.adapters.streams.wiring import Wiring, changelogs, compacted_inputs
from vigilo.events.codec import encode
from vigilo.events.envelope import OutgoingEvent
from vigilo.events.partitioner import partition_for
from vigilo.ports.deadletters import DEAD_LETTERS_TOPIC, StopLimit
from vigilo.ports.processing import Processor

logger = logging.getLogger("vigilo.streams")

S = TypeVar("S", bound=BaseModel)

_TIMER_LOOK_S = 0.25
_WAKEUPS_PER_LOOK = 200
# Faust names the loggers of our subclasses after their modules; the base itself logs as vigilo.streams.
_CHATTY_LOGGERS = ("faust", "mode", "aiokafka", "abc", "vigilo.adapters.streams")


class StreamService(Generic[S]):
    """Runs a Processor. `run()` blocks until SIGTERM or SIGINT; a broken invariant ends the process with code 70.

    `broadcasts` are read whole before the first decision after each assignment. `on_ready(service)` runs after each
    assignment, once recovered. `start_health(service)` runs first of all, so that probes are answered while topics are
    waited for. `output_topics` (logical) are waited for at the start; others when they are first written to.
    """

    def __init__(  # noqa: PLR0913 - one keyword per thing a service may bring
        self,
        processor: Processor[S],
        settings: StreamSettings,
        *,
        clock: Callable[[], datetime] = utc_now,
        broadcasts: Sequence[BroadcastReader] = (),
        on_ready: Callable[[StreamService[S]], Awaitable[None]] | None = None,
        start_health: Callable[[StreamService[S]], Awaitable[None]] | None = None,
        dead_letters: StopLimit | None = None,
        output_topics: Sequence[str] = (),
    ) -> None:
        if processor.wakeups_topic is not None and processor.wakeups_topic not in processor.inputs:
            raise ValueError(f"{processor.wakeups_topic} is not among the inputs of {processor.service}")
        self.processor = processor
        self.settings = settings
        self.broadcasts = tuple(broadcasts)
        self._clock = clock
        self._on_ready = on_ready
        self._start_health = start_health
        self._output_topics = tuple(output_topics)
        self._limit = dead_letters or StopLimit()
        self._source = settings.source_of(processor.service)
        self.timers = Timers()
        self.ownership = Ownership(settings.session_timeout_s)
        self.outlet = Outlet(settings, self.ownership, end_process)
        self.positions = Positions()
        self.phase = "starting"
        self.partition_count = 0
        self.app: HookedApp | None = None
        self.loop: Loop[S] | None = None
        self._active = False
        self._surveyed: frozenset[int] = frozenset()
        self._stop = asyncio.Event()
        self._aside = Aside()
        self._reporter = Reporter(self)

    # -- what processors' shells use -------------------------------------------------------------------------------

    @property
    def assigned(self) -> frozenset[int]:
        """Partitions the group gave to this process, recovered or not."""
        return frozenset(partition for (_, partition), _ in self.positions.items()) | self.recovered

    @property
    def recovered(self) -> frozenset[int]:
        """Partitions that are assigned and whose rows are complete."""
        return self._surveyed if self._active else frozenset()

    def rows(self) -> Iterator[Row[S]]:
        """The decoded rows of assigned and recovered partitions; let the loop breathe between many."""
        if self.loop is None:
            return
        for partition in sorted(self.recovered):
            for key, value in self.loop.guard.rows.rows_of(partition):
                row = self.loop.decider.planner.codec.decode(value)
                if row.state is not None and partition in self.recovered:
                    side = self.loop.decider.side_rows(partition, key, row)
                    yield Row(key.decode("utf-8"), partition, row.state, row.next_at, side)

    async def wake(self, *wakeups: OutgoingEvent) -> None:
        """Writes events to the wakeups topic, each in the partition of its key, and awaits their acknowledgement.

        Keys whose partition is not ours (any more) are left out: their owner looks after them.
        """
        for wakeup in wakeups:
            if wakeup.topic != self.processor.wakeups_topic:
                raise ValueError(f"{wakeup.topic} is not the wakeups topic")
        ours = [encode(one, source=self._source) for one in wakeups if self._partition_of(one.key) in self.recovered]
        await self.outlet.emit(ours, partition_of=lambda event: self._partition_of((event.key or b"").decode()))

    def _partition_of(self, key: str) -> int:
        return partition_for(key.encode("utf-8"), self.partition_count)

    def status(self) -> StreamStatus:
        """Everything health and metrics want to know, now."""
        return self._reporter.status()

    def stop(self) -> None:
        """Asks for a graceful stop, as SIGTERM does."""
        self._stop.set()

    # -- life ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Runs until a signal; returns after a graceful stop, else the process has ended."""
        for noisy in _CHATTY_LOGGERS:
            if logging.getLogger(noisy).level == logging.NOTSET:
                logging.getLogger(noisy).setLevel(logging.WARNING)
        asyncio.run(self._main())

    async def _main(self) -> None:
        try:
            await self._live()
        except Exception as error:
            end_process("the service failed", error)

    async def _live(self) -> None:
        check_sources()
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self.stop)
        if self._start_health is not None:
            await self._start_health(self)
        working = asyncio.ensure_future(self._work())
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            end_process("the service ended by itself")
        await self._leave(working)

    async def _work(self) -> None:
        self.phase = "waiting for topics"
        facts = await await_topics(self.settings, self._needed_topics())
        self.partition_count = shared_partition_count(
            facts,
            names=[*self.processor.inputs, *changelogs(self.processor).values()],
            expected=self.settings.host_partitions,
        )
        self.phase = "reading broadcasts"
        for reader in self.broadcasts:
            await reader.start(self.settings, partitions=facts[reader.topic].partitions)
        self.phase = "joining the group"
        self.app = self._build(facts)
        watching = [asyncio.ensure_future(reader.follow()) for reader in self.broadcasts]
        watching += [asyncio.ensure_future(self._send_wakeups()), asyncio.ensure_future(self._watch(self.app))]
        starting = asyncio.ensure_future(self.app.start())
        done, _ = await asyncio.wait({starting, *watching}, return_when=asyncio.FIRST_COMPLETED)
        if starting in done:
            starting.result()
            done, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _leave(self, working: asyncio.Future[None]) -> None:
        """Stops polling, finishes the events in work, flushes, commits, leaves the group."""
        self.phase = "stopping"
        try:
            if self.app is not None and self.app.started:
                await asyncio.wait_for(self.app.stop(), self.settings.stop_timeout_s)
        except TimeoutError as error:
            end_process("the graceful stop took too long", error)
        working.cancel()
        for reader in self.broadcasts:
            await reader.close()
        self.phase = "stopped"

    def _needed_topics(self) -> set[str]:
        return {
            *self.processor.inputs,
            *changelogs(self.processor).values(),
            *(reader.topic for reader in self.broadcasts),
            *self._output_topics,
            DEAD_LETTERS_TOPIC,
        }

    def _build(self, facts: Mapping[str, TopicFacts]) -> HookedApp:
        self.positions = Positions(map(self.settings.physical, compacted_inputs(self.processor, facts)))
        hooks = Hooks(
            ownership=self.ownership,
            positions=self.positions,
            outlet=self.outlet,
            inputs=frozenset(map(self.settings.physical, self.processor.inputs)),
            end=end_process,
            recovered=self._recovered,
            resumed=self._resumed,
            revoked=self._revoked,
            committed=self._committed,
        )
        app, self.loop = Wiring(
            processor=self.processor,
            settings=self.settings,
            facts=facts,
            partitions=self.partition_count,
            hooks=hooks,
            timers=self.timers,
            limit=self._limit,
            clock=self._clock,
        ).build()
        return app

    # -- called by Faust through our hooks -------------------------------------------------------------------------

    def _revoked(self) -> None:
        # In the consumer's thread: one assignment, seen at once by the loop.
        self._active = False

    async def _recovered(self, inputs: frozenset[TopicPartition]) -> None:
        try:
            await self._survey(inputs)
        except Exception as error:
            end_process("the recovered rows cannot be used", error)

    async def _survey(self, inputs: frozenset[TopicPartition]) -> None:
        assert self.app is not None
        assert self.loop is not None
        for reader in self.broadcasts:
            await reader.catch_up()
        ends = await ends_of(self.app.consumer, self.positions, inputs, logical=self.settings.logical)
        numbers = frozenset(partition for _, partition in inputs)
        self.timers.drop_all()
        self.loop.writing.memory = await survey_all(self.loop, numbers, ends, self.timers)
        self._surveyed = numbers
        await self._await_heartbeat()

    async def _await_heartbeat(self) -> None:
        # Joining took its time; begin with a heartbeat that is good for a while.
        deadline = self.ownership.now() + self.settings.session_timeout_s
        good = self.settings.session_timeout_s / 2
        await until(lambda: (self.ownership.age_s or 0.0) < good or self.ownership.now() > deadline)

    def _resumed(self) -> None:
        # With more workers than partitions nothing may be assigned, and nothing was surveyed anew.
        self._surveyed &= {partition for (_, partition), _ in self.positions.items()}
        self._active = True
        self.phase = "running"
        logger.info("partitions %s are recovered", sorted(self._surveyed))
        if self._on_ready is not None:
            self._aside.run(self._on_ready(self))

    async def _committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._active and self.loop is not None:
            await self.loop.remove_committed()

    # -- beside the loop -------------------------------------------------------------------------------------------

    async def _send_wakeups(self) -> None:
        while True:
            await asyncio.sleep(_TIMER_LOOK_S)
            if not self._active:
                continue
            due = self.timers.take_due(self._clock(), limit=_WAKEUPS_PER_LOOK)
            await self.wake(*(self.processor.wakeup(key, due=at) for _, key, at in due))

    async def _watch(self, app: Any) -> None:
        await until(lambda: bool(app.crashed), every_s=_TIMER_LOOK_S)
        raise app.crash_reason or RuntimeError("the Faust app crashed")
