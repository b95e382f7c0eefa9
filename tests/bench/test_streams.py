"""The stream services, each beside a bare stock Faust agent over as many topics that writes and awaits the same.

"Per second and core" is per CPU second of the process, all its threads; the broker's work is not in it. Each figure is
the best of three rounds: a busy machine only ever makes them worse.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.bench.figures import report
from tests.bench.fleet import Fleet, card_event, derived, host_event, rule_event, rules, snapshot_event
from tests.bench.processes import Measured, Rate, Service, best, done, rate_of
from tests.bench.workshop import Workshop
from tests.faults.streams.waiting import wait_until
from vigilo.events.envelope import EncodedEvent
from vigilo.events.rules import AllHosts
from vigilo.events.triggers import ExpiresInLessThan

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]

HOSTS = 400
ROUNDS = 3
SCANS = 10  # of each host in a round
NEW_CHAINS = 1_000
RULES = 50
MANY_HOSTS = 10_000


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet.of(HOSTS)


@pytest.fixture
def bundle(fleet: Fleet, tmp_path: Path) -> str:
    path = tmp_path / "roots.pem"
    path.write_bytes(fleet.trust_bundle)
    return str(path)


def snapshots(fleet: Fleet, scans: range, *, der: bool = False) -> list[EncodedEvent]:
    return [snapshot_event(fleet.snapshot(number, scan, der=der)) for scan in scans for number in range(HOSTS)]


def batches(rounds: int) -> Iterator[range]:
    """The numbers of the scans of each round; scan 0 is the one before them."""
    return (range(1 + number * SCANS, 1 + (number + 1) * SCANS) for number in range(rounds))


def rates(worker: Measured, workshop: Workshop, before: int, rounds: Iterable[list[EncodedEvent]]) -> list[Rate]:
    """Each round, written in one go; its first twentieth, while it is still being written, is not counted."""
    found: list[Rate] = []
    for events in rounds:
        count = workshop.fill(events)
        found.append(rate_of(worker, total=before + count, skip=before + count // 20))
        before += count
    return found


def print_beside(what: str, ours: list[Rate], bare: list[Rate], *, target: str = "") -> None:
    here, there = best(ours), best(bare)
    report(what, str(here), target=target)
    report("  bare Faust agent, same acknowledgements", str(there))
    report(
        "  ours / bare: per core; by the clock",
        f"{here.per_core / there.per_core:.2f}; {here.per_second / there.per_second:.2f}",
    )


def test_grader(workshop: Workshop, yard: Workshop, fleet: Fleet, bundle: str) -> None:
    """Chains known and verdicts kept, as in nearly every scan of a fleet. Every event has a card."""
    rounds = [snapshots(fleet, scans) for scans in batches(ROUNDS)]
    with workshop.service("grader", VIGILO_TRUST_BUNDLE=bundle) as grader:
        known = workshop.fill(snapshots(fleet, range(1), der=True))
        done(grader, known)
        ours = rates(grader, workshop, known, rounds)
    assert workshop.count("report-cards") == known + ROUNDS * SCANS * HOSTS
    with yard.bare("snapshots", workshop, row="grader-grades-changelog", output="report-cards") as agent:
        bare = rates(agent, yard, 0, rounds)
    print_beside("grader, chain known, verdict kept, one card each", ours, bare, target=">= 500/s and core")


def test_grader_with_new_chains(workshop: Workshop, fleet: Fleet, bundle: str) -> None:
    """Every event of another host, with a chain nobody has seen: stored beside the row and judged from scratch."""
    new = Fleet.of(ROUNDS * NEW_CHAINS, authority=fleet.authority)
    events = [snapshot_event(new.snapshot(number, 1, der=True)) for number in range(ROUNDS * NEW_CHAINS)]
    rounds = [events[number * NEW_CHAINS : (number + 1) * NEW_CHAINS] for number in range(ROUNDS)]
    with workshop.service("grader", VIGILO_TRUST_BUNDLE=bundle) as grader:
        report("grader, each event a new host with a new chain", str(best(rates(grader, workshop, 0, rounds))))


def test_alerter(workshop: Workshop, yard: Workshop, fleet: Fleet) -> None:
    """Cards of well hosts under fifty rules, thirty of which look at each host: nothing to say, one row each."""
    judge = fleet.judge()

    def cards(scans: range) -> list[EncodedEvent]:
        return [card_event(fleet.card(number, scan, judge)) for scan in scans for number in range(HOSTS)]

    rounds = [cards(scans) for scans in batches(ROUNDS)]
    workshop.fill(rule_event(rule) for rule in rules(RULES, fleet.at))
    with workshop.service("alerter") as alerter:
        known = workshop.fill(map(host_event, fleet.hosts()))
        done(alerter, known)
        known += workshop.fill(cards(range(1)))
        done(alerter, known)
        ours = rates(alerter, workshop, known, rounds)
    assert workshop.count("alerts") == 0
    with yard.bare("report-cards", workshop, row="alerter-alerts-changelog") as agent:
        bare = rates(agent, yard, 0, rounds)
    print_beside(f"alerter, cards without output, {RULES} rules", ours, bare, target=">= 1,000/s and core")


def test_scheduler(workshop: Workshop, yard: Workshop, fleet: Fleet) -> None:
    """Snapshots of unchanged hosts: the row is rewritten, nothing is asked for."""
    rounds = [snapshots(fleet, scans) for scans in batches(ROUNDS)]
    with workshop.service("scheduler") as scheduler:
        known = workshop.fill(map(host_event, fleet.hosts()))
        done(scheduler, known)
        known += workshop.fill(snapshots(fleet, range(1), der=True))
        done(scheduler, known)
        ours = rates(scheduler, workshop, known, rounds)
    with yard.bare("snapshots", workshop, row="scheduler-schedules-changelog") as agent:
        bare = rates(agent, yard, 0, rounds)
    print_beside("scheduler, snapshots without output", ours, bare)


def ready(service: Service) -> None:
    """Waits until the service has read its rows."""
    wait_until(lambda: service.ready, seconds=120, what="readiness")


def in_batches(workshop: Workshop, name: str, rounds: list[list[EncodedEvent]], **environment: str) -> None:
    """Half of the rounds one event at a time, half in batches as they come; the same topics, one after the other."""
    found: list[Rate] = []
    for size, part in ((1, rounds[: len(rounds) // 2]), (200, rounds[len(rounds) // 2 :])):
        with workshop.service(name, VIGILO_KAFKA_BATCH_SIZE=str(size), **environment) as service:
            ready(service)
            found.append(best(rates(service, workshop, 0, part)))
            mean = service.mean_batch()
        report(f"{name}, at most {size} events at a time, {mean:.0f} on average", str(found[-1]))
    alone, together = found
    report(
        f"{name}: 200 / 1, per core; by the clock",
        f"{together.per_core / alone.per_core:.2f}; {together.per_second / alone.per_second:.2f}",
    )


def test_grader_in_batches(workshop: Workshop, fleet: Fleet, bundle: str) -> None:
    """Every event has a card: two acknowledgements to await."""
    with workshop.service("grader", VIGILO_TRUST_BUNDLE=bundle) as grader:
        done(grader, workshop.fill(snapshots(fleet, range(1), der=True)))
    rounds = [snapshots(fleet, scans) for scans in batches(2 * ROUNDS)]
    in_batches(workshop, "grader", rounds, VIGILO_TRUST_BUNDLE=bundle)


def test_alerter_in_batches(workshop: Workshop, fleet: Fleet) -> None:
    """Cards without output: nothing to await but the commit."""
    judge = fleet.judge()
    workshop.fill(rule_event(rule) for rule in rules(RULES, fleet.at))
    with workshop.service("alerter") as alerter:
        done(alerter, workshop.fill(map(host_event, fleet.hosts())))
    rounds = [
        [card_event(fleet.card(number, scan, judge)) for scan in scans for number in range(HOSTS)]
        for scans in batches(2 * ROUNDS)
    ]
    in_batches(workshop, "alerter", rounds)


def test_new_rule_over_many_hosts(workshop: Workshop) -> None:
    """A rule that is true of ten thousand hosts: from its record to the last alert, one alerter, 50 rules before it."""
    fleet = Fleet.of(MANY_HOSTS)
    judge = fleet.judge()
    workshop.fill(rule_event(rule) for rule in rules(RULES, fleet.at))
    with workshop.service("alerter") as alerter:
        known = workshop.fill(map(host_event, fleet.hosts()))
        known += workshop.fill(card_event(fleet.card(number, 0, judge)) for number in range(MANY_HOSTS))
        done(alerter, known)
    seconds: list[float] = []
    for number, size in enumerate((1, 200)):
        one = next(rules(1, fleet.at)).model_copy(
            update={"rule_id": derived("wide", number), "trigger": ExpiresInLessThan(days=90)}
        )
        with workshop.service("alerter", VIGILO_KAFKA_BATCH_SIZE=str(size)) as alerter:
            ready(alerter)
            workshop.fill([rule_event(one.model_copy(update={"scope": AllHosts()}))])
            began = time.monotonic()
            wait_until(lambda: workshop.count("alerts") >= (number + 1) * MANY_HOSTS, seconds=180, what="the alerts")  # noqa: B023
            seconds.append(time.monotonic() - began)
            mean = alerter.mean_batch()
        what = f"a rule over {MANY_HOSTS:,} hosts, at most {size} at a time, {mean:.0f} on average"
        report(what, f"{seconds[-1]:.1f} s", target="<= 15 s")
    report("  1 / 200", f"{seconds[0] / seconds[1]:.2f}")
