"""How many decisions one core takes per second, without Kafka: `python -m tests.bench.decision_rates`.

Each figure includes what the stream base does around a decision without output: decode the row and, when looked at, the
side row, decide, encode the new row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.alerter.decide import Alerter
from services.scheduler.decide import Scheduler
from tests.fakes import inputs
from tests.fakes.inputs import NOON, RULE, given, rule
from vigilo.adapters.streams.plan import Planner
from vigilo.adapters.streams.rows import GuardRow, RowCodec, SideRows
from vigilo.alerting.config import Placed, RuleSet
from vigilo.events.records import SchedulerWakeup
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan
from vigilo.ports.processing import Input, Processor

RULES = 50
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
    measure("scheduler, a slot and its snapshot", Bench(Scheduler()), slots)


def alerter() -> Alerter:
    """Fifty rules over all hosts; none is true."""
    triggers = [ExpiresInLessThan(days=days + 1) for days in range(RULES // 2)]
    chains = [ChainValidationFails()] * (RULES - len(triggers))
    rules = [
        Placed(number, rule(rule_id=UUID(int=RULE.int + number), trigger=trigger))
        for number, trigger in enumerate([*triggers, *chains])
    ]
    rule_set = RuleSet.of(rules, versions={"alert-rules": RULES})
    return Alerter(lambda: rule_set)


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
