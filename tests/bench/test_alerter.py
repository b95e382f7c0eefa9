"""What the alerter can take: a rule that is new to ten thousand hosts, fifty rules of all kinds, many open alerts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from tests.bench.crew import Crew, crew
from tests.bench.figures import report
from tests.bench.fleet import (
    EVERY_TRIGGER,
    WORKSPACE,
    Fleet,
    card_event,
    derived,
    event,
    host_event,
    mixed_rules,
    rule,
    rule_event,
    rules,
)
from tests.bench.processes import Rate, best, done, rate_of
from tests.bench.workshop import Workshop
from tests.faults.alerting.journal import read_topic
from tests.faults.streams.waiting import wait_until
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import ReportCard
from vigilo.events.codec import decode
from vigilo.events.envelope import EncodedEvent
from vigilo.events.hosts import Host, HostCommand, HostCommandKind
from vigilo.events.rules import AlertRule, TaggedHosts
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]

MANY_HOSTS = 10_000
HOSTS = 400
RULES = 50
SCANS, ROUNDS = 10, 3
PACE, PACED_SCANS = 1_000, 50
OPEN = (0, 1, 2, 10)
NOTE = "Renewal ordered from the authority, which wants to see a paper first; ticket OPS-4711, Ada looks after it. "
ROW = "alerter-alerts-changelog"


@pytest.fixture(scope="module")
def crowd() -> Fleet:
    return Fleet.of(MANY_HOSTS)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet.of(HOSTS)


@pytest.mark.parametrize("alerters", [1, 2])
def test_a_new_rule_over_many_hosts(workshop: Workshop, crowd: Fleet, alerters: int) -> None:
    """Fifty rules before it. Chains are good for 60 days, so a rule may be false, be false for now, or be true."""
    judge = crowd.judge()
    workshop.fill(map(rule_event, rules(RULES, crowd.at)))
    with crew(workshop, "alerter", alerters) as working:
        known = workshop.fill(map(host_event, crowd.hosts()))
        known += workshop.fill(card_event(crowd.card(number, 0, judge)) for number in range(MANY_HOSTS))
        working.until(known)

        def all_awake() -> float:
            return working.until(known + MANY_HOSTS)

        def all_told() -> float:
            wait_until(lambda: workshop.count("alerts") >= MANY_HOSTS, seconds=180, what="alerts", every=0.05)
            return time.monotonic()

        chain, soon, late = ChainValidationFails(), ExpiresInLessThan(days=40), ExpiresInLessThan(days=90)
        name = f"a rule over {MANY_HOSTS:,} hosts, {alerters} alerter(s)"
        judged(f"{name}, false everywhere", workshop, working, rule("false", chain, crowd.at), working.until_rest)
        judged(f"{name}, a timer everywhere", workshop, working, rule("timer", soon, crowd.at), all_awake)
        judged(f"{name}, true everywhere", workshop, working, rule("true", late, crowd.at), all_told)


def judged(what: str, workshop: Workshop, working: Crew, new: AlertRule, until: Callable[[], float]) -> None:
    """Prints the time from handing over the rule to what `until` waits for."""
    working.until_rest()
    began, cpu = time.monotonic(), working.cpu()
    workshop.fill([rule_event(new)])
    seconds = until() - began
    working.until_rest()
    report(what, f"{seconds:.1f} s", target="<= 15 s")
    report("  on the processor", f"{working.cpu() - cpu:.1f} s")


def later(card: ReportCard, number: int, scan: int) -> ReportCard:
    """The same found by a later scan."""
    at = card.requested_at + timedelta(milliseconds=scan)
    return card.model_copy(update={"scan_id": derived("scan", number, scan), "requested_at": at})


def test_cards_under_rules_of_all_kinds(workshop: Workshop, yard: Workshop, fleet: Fleet) -> None:
    """Cards of well hosts, some thirty of the fifty rules look at each: nothing to say, one row each. Best round."""
    judge = fleet.judge()
    first = [fleet.card(number, 0, judge) for number in range(HOSTS)]

    def cards(scans: range) -> list[EncodedEvent]:
        return [card_event(later(card, number, scan)) for scan in scans for number, card in enumerate(first)]

    rounds = [cards(range(1 + SCANS * number, 1 + SCANS * (number + 1))) for number in range(ROUNDS)]
    paced = cards(range(1 + SCANS * ROUNDS, 1 + SCANS * ROUNDS + PACED_SCANS))
    workshop.fill(map(rule_event, mixed_rules(RULES, fleet.at)))
    with workshop.service("alerter") as alerter:
        known = workshop.fill(map(host_event, fleet.hosts()))
        known += workshop.fill(map(card_event, first))
        done(alerter, known)
        found: list[Rate] = []
        for events in rounds:
            known += workshop.fill(events)
            found.append(rate_of(alerter, total=known, skip=known - len(events) + len(events) // 20))
        ours = best(found)
        print_paced(workshop, Crew([alerter]), paced, known)
    assert workshop.count("alerts") == 0
    with yard.bare("report-cards", workshop, row=ROW) as agent:
        beside = []
        for number, events in enumerate(rounds):
            yard.fill(events)
            total = len(events) * (number + 1)
            beside.append(rate_of(agent, total=total, skip=total - len(events) + len(events) // 20))
    bare = best(beside)
    report(f"alerter, {RULES} rules of {len(EVERY_TRIGGER) - 1} kinds, a backlog", str(ours), target=">= 1,000/s")
    report("  bare Faust agent, same acknowledgements", str(bare))
    report(
        "  ours / bare: per core; by the clock",
        f"{ours.per_core / bare.per_core:.2f}; {ours.per_second / bare.per_second:.2f}",
    )


def print_paced(workshop: Workshop, alerter: Crew, cards: list[EncodedEvent], known: int) -> None:
    """How much of a core a steady stream takes, and how far behind its end the alerter is."""
    began, cpu = time.monotonic(), alerter.cpu()
    workshop.pour(cards, PACE)
    written = time.monotonic()
    behind = alerter.until(known + len(cards)) - written
    seconds = written - began
    what = f"alerter, {RULES} rules of all kinds, {len(cards) / seconds:,.0f} cards/s for {seconds:.0f} s"
    report(what, f"{(alerter.cpu() - cpu) / seconds:.0%} of a core", target="1,000/s")
    report("  behind at the end", f"{behind:.2f} s")


def test_state_of_open_alerts(workshop: Workshop, fleet: Fleet) -> None:
    """The guard row of hosts with so many open alerts, each acknowledged with a long note; nothing owed any more."""
    judge, hosts = fleet.judge(), list(tagged(fleet))
    for number in range(max(OPEN)):
        trigger = ExpiresInLessThan(days=90 + number)
        workshop.fill([rule_event(rule(number, trigger, fleet.at, scope=TaggedHosts(tag=f"rule {number}")))])
    with workshop.service("alerter") as alerter:
        done(alerter, workshop.fill(map(host_event, hosts)))
        seen = [fleet.card(number, 0, judge) for number in range(len(hosts))]
        known = len(hosts) + workshop.fill(map(card_event, seen))
        done(alerter, known)
        bare = row_sizes(workshop, hosts, alerter=Crew([alerter]), known=known, cards=seen, scan=1)
        notes = (("without a note", ""), ("500 characters", NOTE * 5), ("500 quotation marks", '"' * 500))
        print_sizes("open", bare)
        known += len(hosts)
        for scan, (what, note) in enumerate(notes, start=2):
            known += workshop.fill(acknowledgements(workshop, fleet, note[:500]))
            done(alerter, known)
            sizes = row_sizes(workshop, hosts, alerter=Crew([alerter]), known=known, cards=seen, scan=scan)
            print_sizes(f"open and acknowledged, {what}", sizes)
            known += len(hosts)


def tagged(fleet: Fleet) -> Iterator[Host]:
    """A host for each count of open alerts, in the scope of so many rules."""
    for host, count in zip(fleet.hosts(), OPEN, strict=False):
        yield host.model_copy(update={"tags": tuple(f"rule {number}" for number in range(count))})


def acknowledgements(workshop: Workshop, fleet: Fleet, note: str) -> Iterator[EncodedEvent]:
    """Somebody's word on every alert."""
    for record in read_topic(workshop.kafka, "alerts"):
        alert = decode(record, AlertTransition)
        if alert.kind is TransitionKind.OPENED:
            command = HostCommand(
                command_id=derived(alert.alert_id, note),
                host_id=alert.host_id,
                workspace_id=WORKSPACE,
                host_version=1,
                kind=HostCommandKind.ACKNOWLEDGE,
                alert_id=alert.alert_id,
                note=note or None,
                by="ada.lovelace@shop.example",
                at=fleet.at,
            )
            yield event("host-commands", alert.host_id, command, command.command_id)


def row_sizes(
    workshop: Workshop, hosts: list[Host], *, alerter: Crew, known: int, cards: list[ReportCard], scan: int
) -> list[int]:
    """Bytes of each host's row after one more card, which has nothing to say: so nothing is owed."""
    workshop.fill(card_event(later(card, number, scan)) for number, card in enumerate(cards))
    alerter.until(known + len(cards))
    wait_until(lambda: owes_nothing(workshop), seconds=30, what="rows")
    rows = last_rows(workshop)
    return [len(rows[one.host_id]) for one in hosts]


def owes_nothing(workshop: Workshop) -> bool:
    return all(b'"outbox":[]' in row for row in last_rows(workshop).values())


def last_rows(workshop: Workshop) -> dict[UUID, bytes]:
    """The newest row of each host."""
    records = read_topic(workshop.kafka, ROW)
    return {UUID((record.key or b"").decode()): record.value or b"" for record in records}


def print_sizes(what: str, sizes: list[int]) -> None:
    for count, size in zip(OPEN, sizes, strict=True):
        each = f", {(size - sizes[0]) / count:,.0f} per alert" if count else ""
        target = "<= 1,024 per alert" if each else ""
        report(f"guard row, {count} alerts {what}", f"{size:,} bytes{each}", target=target)
