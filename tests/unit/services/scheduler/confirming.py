"""A host whose alerts must be confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.fakes.alerts import transition
from tests.fakes.inputs import HOST, NOON, WORKSPACE
from tests.unit.services.scheduler.world import MINUTE, SECOND, World
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.envelope import Event
from vigilo.events.hosts import Interval
from vigilo.events.scans import ScanReason, ScanRequested
from vigilo.events.triggers import Trigger, Unreachable

LATER = NOON + 10 * MINUTE


HALF = 30 * SECOND


class Confirming(World):
    """A daily host that was scanned at noon and is well; its alerts come ten minutes later."""

    def __init__(self, **host: Any) -> None:
        super().__init__()
        self.answer(self.host(interval=Interval.H24, **host)[0])
        self.at = LATER

    def tell(self, event: AlertTransition, *, at: datetime | None = None) -> list[Event | None]:
        return self.hear("alerts", event, at=at or event.at)

    def rechecks(self, *, until: datetime, **how: Any) -> list[tuple[datetime, ScanRequested]]:
        """Answers every scan a second after it is asked for; the rechecks among them."""
        found = list[tuple[datetime, ScanRequested]]()
        while (due := self.decision.next_at) is not None and due <= until:
            for one in self.wake():
                if isinstance(one, ScanRequested):
                    found += [(due, one)] if one.reason is ScanReason.RECHECK else []
                    self.answer_lightly(one, at=due + SECOND, **how)
        return found


def told(
    kind: TransitionKind = TransitionKind.PENDING,
    *,
    n: int = 1,
    scans: int = 0,
    at: datetime = LATER,
    cause: str = "card-1",
    trigger: Trigger | None = None,
    version: int = 1,
) -> AlertTransition:
    """A transition of an alert of the world's host."""
    made = transition(kind, n=n, workspace_id=WORKSPACE, host_id=HOST, cause=cause, at=at)
    return made.model_copy(
        update={
            "scans_to_confirm": scans,
            "rule": made.rule.model_copy(update={"trigger": trigger or Unreachable()}),
            "host": made.host.model_copy(update={"version": version}),
        }
    )
