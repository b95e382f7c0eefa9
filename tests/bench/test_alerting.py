"""How soon people hear: from a fault in a snapshot, or from the instant a threshold is crossed, to their webhook.

Grader, alerter and notifier are processes; Kafka, PostgreSQL and the receiver are real. Kafka's append time, the
receiver's time of arrival and the thresholds are all by the one clock of this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tests.bench.crew import crew
from tests.bench.figures import quantile, report
from tests.bench.fleet import Fleet, card_event, host_event, rule, rule_event, snapshot_event
from tests.bench.processes import done
from tests.bench.webhooks import webhooks
from tests.bench.workshop import Workshop
from tests.faults.alerting.journal import read_topic
from vigilo.alerting.recommended import RECOMMENDED
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import ReportCard
from vigilo.events.codec import decode
from vigilo.events.scans import Snapshot
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]

FAULTS, FAULTS_PER_S = 300, 20
UNCHANGED = 400
CROSSINGS, CROSSINGS_PER_S = 300, 10
THRESHOLD = timedelta(days=30)
CARDS_FIRST = timedelta(seconds=15)  # all cards are applied within this time, before the first crossing


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet.of(FAULTS + UNCHANGED)


@pytest.fixture
def bundle(fleet: Fleet, tmp_path: Path) -> str:
    path = tmp_path / "roots.pem"
    path.write_bytes(fleet.trust_bundle)
    return str(path)


def print_seconds(what: str, seconds: Iterable[float], *, target: str = "") -> None:
    all_of_them = list(seconds)
    p50, p99 = quantile(all_of_them, 0.5), quantile(all_of_them, 0.99)
    report(what, f"p50 {p50:.2f} s  p99 {p99:.2f} s  max {max(all_of_them):.2f} s", target=target)


@pytest.mark.parametrize("beside", [0, 200], ids=["alone", "beside-200-a-second"])
def test_fault_to_webhook(workshop: Workshop, database: str, fleet: Fleet, bundle: str, beside: int) -> None:
    """Chains that were trusted and are now another authority's, found while `beside` other scans a second find nothing.

    Six recommended rules; the one about chains tells a webhook.
    """
    faulty = Fleet.of(FAULTS)
    faults = [snapshot_event(faulty.snapshot(number, 1, der=True)) for number in range(FAULTS)]
    others = [
        snapshot_event(fleet.snapshot(number, scan, der=False))
        for scan in range(1, 1 + beside * 40 // UNCHANGED)
        for number in range(FAULTS, FAULTS + UNCHANGED)
    ]
    hosts = len(fleet.chains)
    with (
        webhooks(workshop, database) as desk,
        workshop.service("grader", VIGILO_TRUST_BUNDLE=bundle),
        workshop.service("alerter") as alerter,
    ):
        for one in RECOMMENDED:
            told = (desk.channel_id,) if isinstance(one.trigger, ChainValidationFails) else ()
            workshop.fill([rule_event(rule(one.name, one.trigger, fleet.at, channels=told))])
        workshop.fill(map(host_event, fleet.hosts()))
        done(alerter, hosts)
        workshop.fill(snapshot_event(fleet.snapshot(number, 0, der=True)) for number in range(hosts))
        done(alerter, 2 * hosts)
        with workshop.pouring(others, beside or 1):
            workshop.pour(faults, FAULTS_PER_S)
            arrived = desk.until(FAULTS, seconds=120)
    what = f"fault in a snapshot to webhook, {FAULTS} faults, {FAULTS_PER_S}/s, beside {beside}/s"
    print_stages(what, workshop, {faulty.snapshot(number, 1, der=False).scan_id for number in range(FAULTS)}, arrived)


def print_stages(what: str, workshop: Workshop, scans: set[UUID], arrived: Mapping[UUID, float]) -> None:
    """The whole way, and each service's part of it."""
    snapshots, cards = appended(workshop, "snapshots", scans), appended(workshop, "report-cards", scans)
    alerts = opened_at(workshop)
    print_seconds(what, (arrived[host] - snapshots[host] for host in snapshots), target="p99 <= 3 s")
    print_seconds("  snapshot appended to card appended", (cards[host] - snapshots[host] for host in snapshots))
    print_seconds("  card appended to alert appended", (alerts[host] - cards[host] for host in snapshots))
    print_seconds("  alert appended to webhook", (arrived[host] - alerts[host] for host in snapshots))


def appended(workshop: Workshop, topic: str, scans: set[UUID]) -> dict[UUID, float]:
    """By host, when what these scans led to was appended."""
    model: type[Snapshot | ReportCard] = Snapshot if topic == "snapshots" else ReportCard
    found: dict[UUID, float] = {}
    for record in read_topic(workshop.kafka, topic):
        one = decode(record, model)
        if one.scan_id in scans:
            found[one.host_id] = record.timestamp_ms / 1000
    return found


def opened_at(workshop: Workshop) -> dict[UUID, float]:
    """By host, when the alert of a rule that tells somebody was appended."""
    decoded = ((record, decode(record, AlertTransition)) for record in read_topic(workshop.kafka, "alerts"))
    return {
        one.host_id: record.timestamp_ms / 1000
        for record, one in decoded
        if one.kind is TransitionKind.OPENED and one.rule.channels
    }


@pytest.mark.parametrize("killed", [False, True], ids=["one-alerter", "one-of-two-killed"])
def test_threshold_to_webhook(workshop: Workshop, database: str, fleet: Fleet, killed: bool) -> None:
    """Certificates whose last 30 days begin one after the other; half-way one of two alerters is killed for good."""
    with webhooks(workshop, database) as desk, crew(workshop, "alerter", 2 if killed else 1) as alerters:
        expires = ExpiresInLessThan(days=THRESHOLD.days)
        workshop.fill([rule_event(rule("expires", expires, fleet.at, channels=(desk.channel_id,)))])
        workshop.fill(map(host_event, fleet.hosts()[:CROSSINGS]))
        alerters.until(CROSSINGS)
        crossings = write_cards(workshop, fleet, datetime.now(UTC) + CARDS_FIRST)
        alerters.until(2 * CROSSINGS)
        wait = min(crossings.values()) - datetime.now(UTC).timestamp()
        assert wait > 0, "the first threshold was crossed before its card was applied"
        half = wait + CROSSINGS / CROSSINGS_PER_S / 2
        killer = threading.Timer(half, alerters.services[0].process.kill)
        if killed:
            killer.start()
        arrived = desk.until(CROSSINGS, seconds=2 * half + 120)
    what = "one of two alerters killed" if killed else "one alerter"
    print_seconds(
        f"threshold crossed to webhook, {CROSSINGS} hosts, {CROSSINGS_PER_S}/s, {what}",
        (arrived[host] - crossing for host, crossing in crossings.items()),
        target="<= 30 s" if killed else "<= 5 s",
    )


def write_cards(workshop: Workshop, fleet: Fleet, first: datetime) -> dict[UUID, float]:
    """A card of each host, and when its threshold is crossed."""
    judge, crossings = fleet.judge(), dict[UUID, float]()
    events = []
    for number in range(CROSSINGS):
        card, crossing = fleet.card(number, 0, judge), first + timedelta(seconds=number / CROSSINGS_PER_S)
        leaf = card.path[0].model_copy(update={"not_after": crossing + THRESHOLD})
        events.append(card_event(card.model_copy(update={"path": (leaf, *card.path[1:])})))
        crossings[card.host_id] = crossing.timestamp()
    workshop.fill(events)
    return crossings
