"""One host from schedule to alert: the decisions of three services and real scans, under a clock of its own."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from pydantic import BaseModel

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.inputs import given
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.events.hosts import Host
from vigilo.events.scans import ScanRequested, Snapshot
from vigilo.ports.processing import Processor

_SCAN = timedelta(seconds=2)


@dataclass(slots=True)
class Service:
    """A service's decisions and its rows of the host."""

    processor: Processor[Any]
    row: BaseModel | None = None
    side: dict[str, BaseModel] = field(default_factory=dict)
    wakes_at: datetime | None = None


@dataclass(slots=True)
class Watched:
    """Everything that happens to the host, in order; `before_scan` is called before each scan."""

    host: Host
    at: datetime
    tools: Tools
    services: tuple[Service, ...]
    before_scan: Callable[[], None] = lambda: None
    scans: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    transitions: list[AlertTransition] = field(default_factory=list)
    _coming: list[tuple[datetime, int, str, Event]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.tools.now = lambda: self.at
        self._later(self.at, "hosts", self.host)

    async def scanned(self, times: int, *, until: datetime | None = None) -> None:
        """Returns after so many scans, or when it is `until`; what they lead to at once is done, too."""
        while self.scans < times or (self._coming and self._coming[0][0] <= self.at):
            if until is not None and self._coming[0][0] > until:
                return
            self.at, _, topic, event = heapq.heappop(self._coming)
            if isinstance(event, ScanRequested):
                await self._scan(event)
            else:
                self._hear(topic, event)

    def of(self, *kinds: TransitionKind) -> list[AlertTransition]:
        """The transitions of these kinds."""
        return [one for one in self.transitions if one.kind in kinds]

    async def _scan(self, request: ScanRequested) -> None:
        self.before_scan()
        snapshot = await scan_target(request, self.tools)
        await self.tools.close()
        self.scans += 1
        self.outcomes[f"{request.depth}: {snapshot.outcome}{' (throttled)' if snapshot.throttled else ''}"] += 1
        self._later(self.at + _SCAN, "snapshots", snapshot)

    def _hear(self, topic: str, event: Event) -> None:
        for service in self.services:
            if topic in service.processor.inputs and not self._is_stale(service, topic, event):
                self._decide(service, topic, event)

    def _decide(self, service: Service, topic: str, event: Event) -> None:
        ce_id = str(ids.snapshot_id(event.scan_id)) if isinstance(event, Snapshot) else f"{topic}-{next(self._order)}"
        heard = given(topic, event, offset=next(self._order), ce_id=ce_id, key=self.host.host_id)
        decision = service.processor.decide(service.row, service.side, heard, at=self.at)
        assert decision.refused is None, decision.refused
        service.row = decision.state
        for name, row in decision.side.items():
            service.side.pop(name, None)
            if row is not None:
                service.side[name] = row
        for outgoing in decision.outputs:
            self._send(outgoing)
        if decision.next_at is not None and decision.next_at != service.wakes_at:
            wakeup = service.processor.wakeup(str(self.host.host_id), due=decision.next_at)
            assert wakeup.event is not None
            self._later(decision.next_at, wakeup.topic, wakeup.event)
        service.wakes_at = decision.next_at

    def _is_stale(self, service: Service, topic: str, event: Event) -> bool:
        """A timer that was set for another time since."""
        return topic == service.processor.wakeups_topic and getattr(event, "due", None) != service.wakes_at

    def _send(self, outgoing: OutgoingEvent) -> None:
        assert outgoing.event is not None
        if isinstance(outgoing.event, AlertTransition):
            self.transitions.append(outgoing.event)
        self._later(self.at, outgoing.topic, outgoing.event)

    def _later(self, at: datetime, topic: str, event: Event) -> None:
        heapq.heappush(self._coming, (at, next(self._order), topic, event))
