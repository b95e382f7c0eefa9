"""Alerters and notifiers hurt while alerts open and close: every decision once, every message once.

VIGILO_FAULT_REPORT names a file for the tables of rounds, VIGILO_FAULT_SEED repeats a seed.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.alerting.doomed import ALERTER_POINTS, NOTIFIER_POINTS
from tests.faults.alerting.harms import Crew, Harm, broken, coming_and_going, frozen, killed
from tests.faults.alerting.lab import LATER, SOON, AlertingLab, alerting_lab
from tests.faults.alerting.rounds import Round, run_rounds, settled
from tests.faults.alerting.servers import OwnServer, own_broker, own_database
from tests.servers import fresh_database
from vigilo_cli.launcher.problems import CannotStart

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(2400)]

ROUNDS = 30
TRANSITIONS = 3_000
_SEED = int(os.environ.get("VIGILO_FAULT_SEED") or random.randrange(2**32))


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path, database: str) -> Iterator[AlertingLab]:
    """Two alerters, two notifiers and their surroundings."""
    with alerting_lab(kafka_bootstrap, topic_prefix, tmp_path, database) as made:
        yield made


@pytest.fixture
def own_broker_and_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OwnServer, OwnServer]]:
    """Servers nobody else works on."""
    with ExitStack() as stack:
        try:
            broker = stack.enter_context(own_broker(tmp_path_factory.mktemp("broker")))
            database = stack.enter_context(own_database(tmp_path_factory.mktemp("database")))
        except CannotStart as reason:
            pytest.skip(f"servers of our own are needed: {reason}")
        yield broker, database


def test_killed_at_random(lab: AlertingLab) -> None:
    seen = _rounds(lab, killed, ROUNDS)
    assert seen[-1].verdict.transitions >= TRANSITIONS
    assert sum(one.by_itself for one in seen) == 0


@pytest.mark.parametrize(
    ("service", "point"),
    [*(("alerter", one) for one in ALERTER_POINTS), *(("notifier", one) for one in NOTIFIER_POINTS)],
)
def test_death_at_a_named_point(lab: AlertingLab, service: str, point: str) -> None:
    crew = Crew(lab)
    lab.add_hosts(60)
    doomed = crew.replace_all(service, die_at=point)
    deadline = time.monotonic() + 90
    for days in itertools.cycle((SOON, LATER)):
        lab.scan_all(days)
        if doomed.died(seconds=5):
            break
        assert time.monotonic() < deadline, f"{service} never came to: {point}"
    verdict, receipt = settled(crew)
    assert (verdict.clean, receipt.clean) == (True, True), (verdict, receipt)


def test_frozen_past_the_session_and_back(lab: AlertingLab) -> None:
    _rounds(lab, frozen, 4, hosts=60)


def test_alerters_that_come_and_go(lab: AlertingLab) -> None:
    _rounds(lab, coming_and_going, 4, hosts=60)


def test_the_broker_or_the_database_killed(
    own_broker_and_database: tuple[OwnServer, OwnServer], topic_prefix: str, tmp_path: Path
) -> None:
    broker, database = own_broker_and_database
    with fresh_database(database.address) as url, alerting_lab(broker.address, topic_prefix, tmp_path, url) as lab:
        seen = _rounds(lab, broken(database, "database"), 4, hosts=60)
        assert sum(one.by_itself for one in seen) == 0  # a notifier outlives its database
    prefix = f"{topic_prefix}2-"
    with fresh_database(database.address) as url, alerting_lab(broker.address, prefix, tmp_path, url) as lab:
        _rounds(lab, broken(broker, "broker"), 4, hosts=60)


def _rounds(lab: AlertingLab, harm: Harm, count: int, **options: int) -> list[Round]:
    report = os.environ.get("VIGILO_FAULT_REPORT")
    path = Path(report).with_suffix(f".{harm.__name__}.txt") if report else None
    seen = run_rounds(lab, harm, rounds=count, seed=_SEED, report=path, **options)
    assert [one.number for one in seen if not one.clean] == [], seen[-1]
    return seen
