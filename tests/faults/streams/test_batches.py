"""Death inside a batch: rows of some keys durable and of others not, outboxes of some out and of others not."""

from __future__ import annotations

import signal

import pytest

from tests.faults.streams.conftest import NewLab
from tests.faults.streams.kill_points import POINTS
from tests.faults.streams.rounds import run_rounds
from tests.faults.streams.scenarios import (
    coming_and_going,
    died_inside_batches,
    killed_and_restarted,
)

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]

KEYS = 3_000


@pytest.mark.parametrize("point", POINTS)
def test_death_at_a_point_inside_a_batch_has_no_effect(new_lab: NewLab, point: str) -> None:
    seen = died_inside_batches(new_lab(key_count=KEYS), [point] * 3, count=2_000)
    print(point, seen)
    assert seen.exits == [-signal.SIGKILL] * 3
    assert seen.verdict.clean, seen.verdict


def test_kills_at_random_moments_of_large_batches_have_no_effect(new_lab: NewLab) -> None:
    verdict = killed_and_restarted(new_lab(key_count=KEYS), "base", count=20_000, kills=4)
    print(verdict)
    assert verdict.clean, verdict


def test_workers_that_come_and_go_every_few_seconds_have_no_effect(new_lab: NewLab) -> None:
    verdict = coming_and_going(new_lab(key_count=KEYS), count=24_000, visits=8)
    print(verdict)
    assert verdict.clean, verdict


@pytest.mark.parametrize("batch_size", [1, 7, 200])
def test_rounds_with_other_batches_are_clean(new_lab: NewLab, batch_size: int) -> None:
    seen = run_rounds(new_lab(key_count=KEYS, batch_size=batch_size), "base", rounds=5)
    assert [one.number for one in seen if not one.verdict.clean] == []
    assert sum(one.by_itself for one in seen) == 0
