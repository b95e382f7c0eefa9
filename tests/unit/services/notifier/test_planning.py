"""One step of a channel: what leaves, what waits, what is not sent at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notifier.bucket import Bucket
from services.notifier.channels.traits import TRAITS
from services.notifier.circuit import Circuit
from services.notifier.delivery import Answer, Attempt
from services.notifier.planning import Limits, Plan, plan
from services.notifier.records import ChannelState, Claimed, Row
from services.notifier.settling import Settled, settle
from services.notifier.tellings import TestTelling
from vigilo.events.deliveries import DeliveryStatus
from vigilo.events.rules import ChannelKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SPACE, CHANNEL, RULE = UUID(int=1), UUID(int=2), UUID(int=3)
LIMITS = Limits()
OPEN = Circuit(failures=5, failing_since=NOW, opened_at=NOW, probes=1, probe_at=NOW)


def channel(kind: ChannelKind, *, circuit: Circuit | None = None, tokens: float = 100) -> ChannelState:
    bucket = Bucket(tokens, NOW, TRAITS[kind].per_minute, TRAITS[kind].burst)
    return ChannelState(CHANNEL, SPACE, kind, "ops", None, bucket, circuit or Circuit())


def row(number: int, kind: str = "opened", *, n: int = 1, alert: int | None = None, **fields: object) -> Row:
    made = Row(
        delivery_id=UUID(int=number),
        workspace_id=SPACE,
        channel_id=CHANNEL,
        alert_id=UUID(int=alert or number),
        transition_id=None,
        host_id=None,
        rule_id=RULE,
        n=n,
        kind=kind,
        cause="scan",
        status="waiting",
        position=number,
        entered_at=NOW,
        next_attempt_at=NOW,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def planned(state: ChannelState, *rows: Row, slots: int = 100, at: datetime = NOW) -> Plan:
    return plan(state, rows, at=at, slots=slots, limits=LIMITS)


def leaving(made: Plan) -> list[list[int]]:
    return [[member.delivery_id.int for member in unit.members] for unit in made.sends]


def skipped(made: Plan) -> dict[int, str]:
    return {one.row.delivery_id.int: one.reason for one in made.finished}


@pytest.mark.parametrize("kind", [ChannelKind.PAGERDUTY, ChannelKind.SLACK, ChannelKind.ALERTMANAGER])
def test_an_open_and_close_both_unsent_are_both_skipped(kind: ChannelKind) -> None:
    made = planned(channel(kind), row(1), row(2, "closed", n=2, alert=1))
    assert (leaving(made), skipped(made)) == ([], {1: "overtaken", 2: "open-never-received"})


@pytest.mark.parametrize("kind", [ChannelKind.WEBHOOK, ChannelKind.EMAIL])
def test_others_get_every_one_the_first_first(kind: ChannelKind) -> None:
    made = planned(channel(kind), row(1), row(2, "closed", n=2, alert=1))
    assert (leaving(made), skipped(made)) == ([[1]], {})


def test_an_open_that_may_have_arrived_is_sent_on_and_then_its_close() -> None:
    perhaps = row(1, maybe_received=True, status="retrying", attempt=1, next_attempt_at=NOW + timedelta(minutes=5))
    close = row(2, "closed", n=2, alert=1)
    made = planned(channel(ChannelKind.PAGERDUTY), perhaps, close)
    assert (leaving(made), skipped(made)) == ([], {})
    assert made.postponed == ((close.delivery_id, NOW + timedelta(minutes=5)),)
    done = replace(perhaps, status="delivered", next_attempt_at=None)
    assert leaving(planned(channel(ChannelKind.PAGERDUTY), done, close)) == [[2]]


def test_the_close_of_an_open_that_failed_for_certain_is_not_sent_even_to_a_webhook() -> None:
    failed = row(1, status="failed", next_attempt_at=None, attempt=12)
    close = row(2, "closed", n=2, alert=1)
    assert skipped(planned(channel(ChannelKind.WEBHOOK), failed, close)) == {2: "open-never-received"}
    maybe = replace(failed, maybe_received=True)
    assert leaving(planned(channel(ChannelKind.WEBHOOK), maybe, close)) == [[2]]


def test_a_reminder_is_overtaken_by_anything_and_an_open_not_by_an_acknowledgement() -> None:
    rows = (row(1), row(2, "reminder", n=2, alert=1), row(3, "acknowledged", n=3, alert=1))
    made = planned(channel(ChannelKind.PAGERDUTY), *rows)
    assert (leaving(made), skipped(made)) == ([[1]], {2: "overtaken"})


def test_an_open_asked_for_again_after_its_close_would_open_an_incident_nobody_closes() -> None:
    again = row(1, asked_again=True, maybe_received=True)
    close = row(2, "closed", n=2, alert=1, status="delivered", next_attempt_at=None, maybe_received=True)
    assert skipped(planned(channel(ChannelKind.PAGERDUTY), again, close)) == {1: "overtaken"}
    assert leaving(planned(channel(ChannelKind.WEBHOOK), again, close)) == [[1]]


def test_nothing_of_an_alert_starts_while_a_request_of_it_is_under_way() -> None:
    busy = row(1, maybe_received=True, claimed_until=NOW + timedelta(seconds=20), next_attempt_at=NOW)
    assert leaving(planned(channel(ChannelKind.WEBHOOK), busy, row(2, "closed", n=2, alert=1))) == []


def test_five_of_a_rule_are_a_digest_and_four_are_not() -> None:
    slack = channel(ChannelKind.SLACK)
    assert leaving(planned(slack, *(row(number) for number in range(1, 5)))) == [[1], [2], [3], [4]]
    assert leaving(planned(slack, *(row(number) for number in range(1, 6)))) == [[1, 2, 3, 4, 5]]
    mixed = [row(number, rule_id=UUID(int=number % 2)) for number in range(1, 6)]
    assert leaving(planned(slack, *mixed)) == [[1], [2], [3], [4], [5]]
    assert len(leaving(planned(channel(ChannelKind.WEBHOOK), *(row(number) for number in range(1, 8))))) == 7


def test_a_digest_takes_nothing_that_may_have_been_received() -> None:
    rows = [row(number, maybe_received=number == 3) for number in range(1, 7)]
    assert leaving(planned(channel(ChannelKind.SLACK), *rows)) == [[1, 2, 4, 5, 6], [3]]


def test_a_lack_of_tokens_or_slots_never_changes_the_order() -> None:
    rows = [row(number) for number in (3, 1, 2)]
    made = planned(channel(ChannelKind.WEBHOOK, tokens=1.5), *rows)
    assert leaving(made) == [[1]]
    assert made.hold_until is not None
    assert made.hold_until > NOW
    assert leaving(planned(channel(ChannelKind.WEBHOOK), *rows, slots=2)) == [[1], [2]]


def test_an_open_circuit_lets_one_probe_through_and_tells_the_others_once() -> None:
    told = replace(row(3), error_class="circuit-open")
    made = planned(channel(ChannelKind.WEBHOOK, circuit=OPEN), row(1), row(2), told)
    assert (leaving(made), made.probing) == ([[1]], True)
    assert [held.delivery_id.int for held in made.held] == [2]
    busy = row(1, claimed_until=NOW + timedelta(seconds=9), maybe_received=True)
    waits = planned(channel(ChannelKind.WEBHOOK, circuit=OPEN), busy, row(2))
    assert (leaving(waits), waits.hold_until) == ([], NOW + timedelta(seconds=9))


def test_what_waited_behind_an_open_circuit_for_as_long_as_its_schedule_lasts_fails() -> None:
    day = NOW + timedelta(hours=25)
    made = planned(channel(ChannelKind.PAGERDUTY, circuit=OPEN), row(1), row(2, entered_at=day), at=day)
    assert skipped(made) == {1: "circuit-open"}
    assert leaving(made) == [[2]]


def outcome(attempt: Attempt, *, due_at: datetime = NOW, probe: bool = False, step: int = 0) -> Settled:
    state = channel(ChannelKind.WEBHOOK, circuit=OPEN if probe else None)
    telling = TestTelling(channel="c", by="t", at=NOW)
    claimed = Claimed(row(1, step=step), state.kind, telling, 9, due_at, probe, NOW + timedelta(seconds=20))
    return settle(state, claimed, attempt, at=NOW, limits=LIMITS)


def test_a_probe_before_its_time_uses_up_nothing_of_the_schedule() -> None:
    later = NOW + timedelta(hours=2)
    early = outcome(Attempt(Answer.REFUSED), due_at=later, probe=True, step=6)
    assert (early.step, early.verdict.next_attempt_at) == (6, later)
    last = outcome(Attempt(Answer.REFUSED), due_at=later, probe=True, step=11)
    assert last.verdict.status is DeliveryStatus.RETRYING
    due = outcome(Attempt(Answer.REFUSED), probe=True, step=11)
    assert due.verdict.status is DeliveryStatus.FAILED


def test_a_success_closes_the_circuit_and_lets_everything_go_on() -> None:
    done = outcome(Attempt(Answer.ACCEPTED, 200), probe=True)
    assert (done.health.circuit, done.health.resumes) == (Circuit(), True)
