"""What followers are told of a batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.api.live.notices import parsed
from services.api.projector.admission import Admitted, Observed
from services.api.projector.changes import STALE, change_of, payloads
from tests.fakes.alerts import transition
from tests.fakes.snapshots import failed
from vigilo.events.alerts import TransitionKind
from vigilo.events.deliveries import Delivery, DeliveryStatus
from vigilo.events.envelope import Record
from vigilo.events.scans import Outcome

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HERE, THERE = uuid4(), uuid4()


def admitted(event: Observed | None, *, age: timedelta = timedelta(0)) -> Admitted:
    appended = int((AT - age).timestamp() * 1000)
    return Admitted(Record("alerts", 0, 0, appended, b"k", b"v", ()), uuid4(), event)


def alert(workspace_id: object = HERE) -> Observed:
    return transition(TransitionKind.OPENED, workspace_id=workspace_id)  # type: ignore[arg-type]


def test_each_workspace_is_told_its_own_in_order() -> None:
    events = [alert(HERE), alert(THERE), alert(HERE)]
    notices = [parsed(one) for one in payloads([admitted(event) for event in events], at=AT)]
    assert [(one.workspace_id, len(one.changes or ())) for one in notices] == [(HERE, 2), (THERE, 1)]
    assert notices[1].changes == (change_of(events[1]),)


def test_while_it_catches_up_only_that_something_changed_is_told() -> None:
    late = STALE + timedelta(seconds=1)
    batch = [admitted(alert(HERE), age=late), admitted(alert(HERE)), admitted(alert(THERE), age=STALE)]
    notices = [parsed(one) for one in payloads(batch, at=AT)]
    assert [(one.workspace_id, one.changes is None) for one in notices] == [(HERE, True), (THERE, False)]


def test_of_a_tombstone_nothing_is_told() -> None:
    assert list(payloads([admitted(None)], at=AT)) == []


@pytest.mark.parametrize(
    ("event", "kind", "ids"),
    [
        (failed(Outcome.REFUSED), "snapshot", {"host_id", "scan_id"}),
        (alert(), "alert", {"alert_id", "host_id", "rule_id"}),
        (
            Delivery(
                delivery_id=uuid4(),
                workspace_id=HERE,
                channel_id=uuid4(),
                status=DeliveryStatus.DELIVERED,
                attempt=1,
                at=AT,
            ),
            "delivery",
            {"delivery_id", "channel_id"},
        ),
    ],
)
def test_a_change_is_a_kind_and_ids(event: Observed, kind: str, ids: set[str]) -> None:
    told = change_of(event)
    assert told["kind"] == kind
    assert set(told) == {"kind", "at"} | ids
