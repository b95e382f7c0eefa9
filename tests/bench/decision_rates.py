"""How many decisions one core takes per second, without Kafka: `python -m tests.bench.decision_rates`.

Each figure includes what the stream base does around a decision without output: decode the row and, when looked at, the
side row, decide, encode the new row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.alerter.behind import must_judge
from services.alerter.decide import Alerter
from services.alerter.state import HostFacts
from services.scheduler.decide import Scheduler
from tests.fakes import inputs
from tests.fakes.inputs import NOON, RULE, given, rule
from vigilo.adapters.streams.plan import Planner
from vigilo.adapters.streams.rows import GuardRow, RowCodec, SideRows
from vigilo.alerting.config import Placed, RuleSet
from vigilo.events.cards import Grade
from vigilo.events.records import SchedulerWakeup
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    NameMismatch,
    NotTls,
    OcspStaplingStops,
    ProtocolBelow,
    ScanOverdue,
    Trigger,
    Unreachable,
    WeakKey,
)
from vigilo.ports.processing import Input, Processor

RULES = 50
TWO_KINDS: list[Trigger] = [ExpiresInLessThan(days=1 + number % 25) for number in range(RULES // 2)]
TWO_KINDS += [ChainValidationFails()] * (RULES - len(TWO_KINDS))
KINDS: list[Trigger] = [
    ExpiresInLessThan(days=7, share=1 / 6),
    ExpiresInLessThan(days=3, include="path"),
    GradeBelow(grade=Grade.B),
    ChainValidationFails(),
    OcspStaplingStops(),
    NameMismatch(),
    Unreachable(),
    NotTls(),
    ScanOverdue(intervals=100),
    ProtocolBelow(),
    WeakKey(),
    CertificateChanged(),
]
MIXED: list[Trigger] = [KINDS[number % len(KINDS)] for number in range(RULES)]
TEN_OPEN: list[Trigger] = [ExpiresInLessThan(days=30)] * 10 + MIXED[10:]
SECONDS = 3.0
DAY = timedelta(days=1)


class Bench:
    """One key's rows as bytes, as the stream base holds them."""

    def __init__(self, processor: Processor[Any]) -> None:
        self.processor = processor
        self.planner: Planner[Any] = Planner(RowCodec(processor.state_model), "bench", 1 << 16, 1 << 19)
        self.row: bytes | None = None
        self.side: dict[str, bytes] = {}
        self.decide_s = 0.0

    def apply(self, one: Input, *, at: Any) -> int:
        """Applies an input; returns the number of outputs."""
        row: GuardRow[Any] | None = None if self.row is None else self.planner.codec.decode(self.row)
        side: Mapping[str, BaseModel] = SideRows(self.side, self.processor.side_models)
        began = time.process_time()
        decision = self.processor.decide(None if row is None else row.state, side, one, at=at)
        self.decide_s += time.process_time() - began
        plan = self.planner.plan(row, decision, record=one.record, at=at, side_bytes=self.side)
        self.row = plan.row
        for put in plan.side_puts:
            self.side[put.table] = put.value or b""
        return len(decision.outputs)


def main() -> None:
    """Prints the rates."""
    measure("alerter, 50 rules, cards that change nothing", Bench(alerter()), host_then_cards)
    measure("alerter, 50 rules of every kind, nothing true", Bench(alerter(MIXED)), host_then_cards)
    measure("alerter, the same and ten open alerts", Bench(alerter(TEN_OPEN)), cards_of_the_ill)
    print(f"alerter, 10,000 hosts looked at for a new rule that is false: {look_at_hosts():.2f} s")
    measure("scheduler, a slot and its snapshot", Bench(Scheduler()), slots)


def alerter(triggers: Sequence[Trigger] = TWO_KINDS) -> Alerter:
    """Fifty rules over all hosts, reminders and a snooze that ran out included."""
    rule_set = rules_of(triggers)
    return Alerter(lambda: rule_set)


def rules_of(triggers: Sequence[Trigger]) -> RuleSet:
    """One rule for each, over all hosts."""
    rules = [
        Placed(number, rule(rule_id=UUID(int=RULE.int + number), trigger=trigger, remind_every_minutes=1440))
        for number, trigger in enumerate(triggers)
    ]
    over = Placed(0, inputs.snooze(rule_id=RULE, until=NOON))
    return RuleSet.of(rules, [over], versions={"alert-rules": len(rules), "snoozes": 1})


def cards_of_the_ill(bench: Bench, number: int) -> int:
    """One card of a host whose certificate expires; ten rules say so, and have said so before."""
    if number == 0:
        bench.apply(given("hosts", inputs.host()), at=NOON)
    at = NOON + number * timedelta(milliseconds=1)
    card = inputs.card(requested_at=at, not_after=NOON + 20 * DAY, scan_id=UUID(int=number))
    assert bench.apply(given("report-cards", card, offset=number), at=at) == (10 if number == 0 else 0)
    return 1


def look_at_hosts() -> float:
    """CPU seconds to find that a rule saved just now concerns none of 10,000 hosts that have fifty others."""
    bench = Bench(alerter(MIXED))
    host_then_cards(bench, 0)
    saved = rules_of([*MIXED, ExpiresInLessThan(days=1)])
    row = bench.planner.codec.decode(bench.row or b"")
    assert row.state is not None
    began = time.process_time()
    for _ in range(10_000):
        # Rows are held decoded or as bytes, depending on the store; facts are decoded when they are looked at.
        facts = SideRows(bench.side, bench.processor.side_models)["facts"]
        assert isinstance(facts, HostFacts)
        assert not must_judge(row.state, lambda facts=facts: facts, saved, at=NOON)  # type: ignore[misc]
    return time.process_time() - began


def host_then_cards(bench: Bench, number: int) -> int:
    """One card of an unchanged host; the certificate is renewed out of sight."""
    if number == 0:
        bench.apply(given("hosts", inputs.host()), at=NOON)
    at = NOON + number * timedelta(seconds=1)
    card = inputs.card(requested_at=at, not_after=NOON + 80 * DAY, scan_id=UUID(int=number))
    assert bench.apply(given("report-cards", card, offset=number), at=at) == 0
    return 1


def slots(bench: Bench, number: int) -> int:
    """One slot: the wakeup that asks, and the answer."""
    if number == 0:
        bench.apply(given("hosts", inputs.host()), at=NOON)
    at = NOON + (number + 1) * timedelta(hours=1)
    wakeup = SchedulerWakeup(host_id=inputs.HOST, due=at)
    bench.apply(given("scheduler-wakeups", wakeup, offset=number), at=at)
    row = bench.planner.codec.decode(bench.row or b"")
    assert row.state is not None
    asked = row.state.outstanding[-1]
    seen = inputs.snapshot(scan_id=asked.scan_id, target=inputs.host().target(), requested_at=asked.requested_at)
    bench.apply(given("snapshots", seen, offset=number), at=at + timedelta(seconds=1))
    return 2


def measure(name: str, bench: Bench, once: Callable[[Bench, int], int]) -> None:
    """Repeats for a while and prints inputs per second, whole and of decide alone."""
    began, inputs_applied, number = time.process_time(), 0, 0
    while time.process_time() - began < SECONDS:
        inputs_applied += once(bench, number)
        number += 1
    spent = time.process_time() - began
    row = len(bench.row or b"")
    with_rows, alone = inputs_applied / spent, inputs_applied / bench.decide_s
    print(f"{name}: {with_rows:,.0f} inputs/s with rows, {alone:,.0f}/s decide alone; row {row} bytes")


if __name__ == "__main__":
    main()
