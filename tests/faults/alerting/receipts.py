"""What came in at the receiver, against what the transitions say must have come in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tests.fakes.receiver import Received
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind

TOLD = {TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class Receipts:
    """`missing`: never received. `strange`: nobody's delivery. `altered`: one id, two bodies. `overtaken`: alerts whose
    messages came in another order than their transitions. `again`: the same id once more, as webhooks may.
    """

    wanted: int
    missing: int
    strange: int
    altered: int
    overtaken: int
    again: int

    @property
    def clean(self) -> bool:
        """True if nothing is wrong."""
        return not any((self.missing, self.strange, self.altered, self.overtaken))


def judge(transitions: Iterable[AlertTransition], received: Sequence[Received], channel_id: UUID) -> Receipts:
    """Each told transition of a rule with this channel exactly once by `webhook-id`; closes follow their open."""
    stories = {one.transition_id: one for one in transitions}.values()
    opened = {one.alert_id for one in stories if one.kind is TransitionKind.OPENED and channel_id in one.rule.channels}
    wanted = {
        str(ids.delivery_id(one.transition_id, channel_id)): one
        for one in stories
        if one.kind in TOLD and one.alert_id in opened
    }
    first: dict[str, Received] = {}
    altered = 0
    for got in received:
        altered += first.setdefault(got.webhook_id, got).body != got.body
    return Receipts(
        wanted=len(wanted),
        missing=len(wanted.keys() - first.keys()),
        strange=len(first.keys() - wanted.keys()),
        altered=altered,
        overtaken=_overtaken(first.values()),
        again=len(received) - len(first),
    )


def _overtaken(first: Iterable[Received]) -> int:
    numbers: dict[str, list[int]] = {}
    for got in first:
        data = json.loads(got.body)["data"]
        numbers.setdefault(data["alert_id"], []).append(data["n"])
    return sum(seen != sorted(seen) for seen in numbers.values())
