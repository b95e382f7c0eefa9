"""What one input means for one host's schedule. Pure.

Every input is heard, then everything that is due by the clock is done: a wakeup has nothing of its own to say, and one
that comes twice, early or late does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel

from services.scheduler import hearing, rechecks
from services.scheduler.due import catch_up, next_at
from services.scheduler.planning import Timing
from services.scheduler.state import KnownHost, Schedule
from services.scheduler.traffic import Traffic
from services.scheduler.turn import Turn
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition
from vigilo.events.envelope import Event, OutgoingEvent
from vigilo.events.hosts import Host, HostCommand
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Snapshot
from vigilo.events.topics import PUBLIC_POOL
from vigilo.ports.belonging import misplaced
from vigilo.ports.processing import Decision, Input

SERVICE = "scheduler"
HOSTS = "hosts"
_SIDE = "hosts"

PoolsOf = Callable[[UUID], frozenset[str]]


class Scheduler:
    """The scheduler's decisions (vigilo.ports.processing.Processor)."""

    service: str = SERVICE
    table: str = "schedules"
    inputs: Mapping[str, type[Event]] = MappingProxyType(
        {
            HOSTS: Host,
            "host-commands": HostCommand,
            "snapshots": Snapshot,
            "alerts": AlertTransition,
            "scheduler-wakeups": SchedulerWakeup,
        }
    )
    state_model: type[Schedule] = Schedule
    side_models: Mapping[str, type[BaseModel]] = MappingProxyType({_SIDE: KnownHost})
    wakeups_topic: str | None = "scheduler-wakeups"

    def __init__(self, *, pools_of: PoolsOf = lambda _: frozenset({PUBLIC_POOL}), timing: Timing | None = None) -> None:
        """`pools_of` tells which pools hosts of a workspace may be scanned by at the moment of the decision."""
        self._pools_of = pools_of
        self._timing = timing or Timing()
        self._traffic = Traffic()

    def decide(
        self, state: Schedule | None, side: Mapping[str, BaseModel], given: Input, *, at: datetime
    ) -> Decision[Schedule]:
        """The decision for one input. Refused with the reasons of `misplaced`."""
        known = side.get(_SIDE)
        turn = Turn(
            row=state or Schedule(),
            known=known if isinstance(known, KnownHost) else None,
            at=at,
            timing=self._timing,
            pools=self._pools(known, given.event),
            traceparent=given.record.header("traceparent"),
            traffic=self._traffic,
        )
        if refused := misplaced(given, workspace_id=turn.row.workspace_id, removable_by=(HOSTS,)):
            return Decision(state, refused=refused)
        if given.event is None:
            return Decision(None, side={_SIDE: None})
        if state is None and not _begins_a_row(given.event):
            # A host whose tombstone has been read: what was still under way makes no new row.
            return Decision(None)
        _hear(turn, given.event)
        catch_up(turn)
        changed = {} if turn.known is known else {_SIDE: turn.known}
        return Decision(turn.row, tuple(turn.outputs), changed, next_at(turn))

    def _pools(self, known: BaseModel | None, event: Event | None) -> frozenset[str]:
        host = event if isinstance(event, Host) else known.host if isinstance(known, KnownHost) else None
        return frozenset() if host is None else self._pools_of(host.workspace_id)

    def wakeup(self, key: str, *, due: datetime) -> OutgoingEvent:
        """The record this host's timer sends when `due` has come."""
        host_id = UUID(key)
        event = SchedulerWakeup(host_id=host_id, due=due)
        return OutgoingEvent("scheduler-wakeups", key, ids.wakeup_id(SERVICE, key, due), event, due)


def _begins_a_row(event: Event) -> bool:
    return isinstance(event, Host) or (isinstance(event, HostCommand) and event.kind in hearing.SCANNING)


def _hear(turn: Turn, event: Event) -> None:
    match event:
        case Host():
            hearing.host(turn, event)
        case HostCommand():
            hearing.command(turn, event)
        case Snapshot():
            turn.traffic.hear(event, at=turn.at)
            hearing.snapshot(turn, event)
        case AlertTransition():
            rechecks.hear(turn, event)
        case _:
            pass
