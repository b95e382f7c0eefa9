"""The real scheduler and the real scanner under a clock of their own: days of scans in minutes."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from services.scheduler.decide import Scheduler
from services.scheduler.state import KnownHost, Schedule
from tests.fakes.inputs import given
from tests.fakes.watchdog import Stamped
from vigilo.events.envelope import Event
from vigilo.events.hosts import Host
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Lane, ScanRequested, Snapshot

_SLOW_LANE_SECONDS = 60.0  # a request may lie about for so long
_LOG_SECONDS = 10.0


@dataclass(slots=True)
class Diary:
    """A server's log: `read` turns the file's new text into lines; a line that `is_end` holds for ends a connection."""

    log: Path
    read: Callable[[str], str | None]
    is_end: Callable[[str], bool]
    lines: list[Stamped] = field(default_factory=list)
    _position: int = 0

    def skip(self) -> None:
        """What is there by now is not ours."""
        self._position = self.log.stat().st_size

    async def collect(self, connections: int, at: datetime) -> None:
        """Waits until the log tells of the end of that many connections, and stamps what is new."""
        texts, ends = list[str](), 0
        for _ in range(int(_LOG_SECONDS / 0.01)):
            for line in self._new():
                texts.append(line)
                ends += self.is_end(line)
            if ends >= connections:
                break
            await asyncio.sleep(0.01)
        assert ends == connections, (ends, connections, texts)
        self.lines += [Stamped(at, text) for line in texts if (text := self.read(line)) is not None]

    def _new(self) -> list[str]:
        with self.log.open("rb") as file:
            file.seek(self._position)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._position += len(whole)
        return whole.decode(errors="replace").splitlines()


@dataclass(slots=True)
class Watched:
    """One host: its rows, its server's diary, its snapshots."""

    host: Host
    diary: Diary
    row: Schedule | None = None
    known: KnownHost | None = None
    snapshots: list[Snapshot] = field(default_factory=list)


@dataclass(slots=True)
class Week:
    """Everything that happens, in order. `at` is the time it is."""

    tools: Tools
    at: datetime
    scheduler: Scheduler = field(default_factory=Scheduler)
    hosts: dict[UUID, Watched] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(2026))
    _coming: list[tuple[datetime, int, UUID, Event, str]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def add(self, watched: Watched) -> None:
        """The host is added now."""
        self.hosts[watched.host.host_id] = watched
        self._later(self.at, watched.host.host_id, watched.host, "hosts")

    async def pass_until(self, end: datetime) -> None:
        """Everything that happens until then."""
        while self._coming and self._coming[0][0] <= end:
            self.at, _, host_id, event, topic = heapq.heappop(self._coming)
            watched = self.hosts[host_id]
            if isinstance(event, ScanRequested):
                await self._perform(watched, event)
            else:
                self._hear(watched, topic, event)

    async def _perform(self, watched: Watched, request: ScanRequested) -> None:
        before = self.tools.connections
        snapshot = await scan_target(request, self.tools)
        await self.tools.close()
        await watched.diary.collect(self.tools.connections - before, self.at)
        watched.snapshots.append(snapshot)
        self._later(self.at + timedelta(seconds=1), watched.host.host_id, snapshot, "snapshots")

    def _hear(self, watched: Watched, topic: str, event: Event) -> None:
        side = {"hosts": watched.known} if watched.known else {}
        decision = self.scheduler.decide(watched.row, side, given(topic, event), at=self.at)
        assert decision.refused is None
        watched.row = decision.state
        known = decision.side.get("hosts", watched.known)
        assert known is None or isinstance(known, KnownHost)
        watched.known = known
        for outgoing in decision.outputs:
            self._send(watched, outgoing.event)
        if decision.next_at is not None:
            wakeup = SchedulerWakeup(host_id=watched.host.host_id, due=decision.next_at)
            self._coming = [one for one in self._coming if not _is_wakeup_of(one, watched)]
            heapq.heapify(self._coming)
            self._later(decision.next_at, watched.host.host_id, wakeup, "scheduler-wakeups")

    def _send(self, watched: Watched, event: Event | None) -> None:
        assert isinstance(event, ScanRequested), "the scheduler gave up a scan"
        seconds = 0.0 if event.lane is Lane.NOW else self._chance.uniform(0, _SLOW_LANE_SECONDS)
        self._later(self.at + timedelta(seconds=seconds), watched.host.host_id, event, "")

    def _later(self, at: datetime, host_id: UUID, event: Event, topic: str) -> None:
        heapq.heappush(self._coming, (at, next(self._order), host_id, event, topic))


def _is_wakeup_of(one: tuple[datetime, int, UUID, Event, str], watched: Watched) -> bool:
    return isinstance(one[3], SchedulerWakeup) and one[2] == watched.host.host_id
