"""The quick end of the fault lab: few messages, one kill. What stock Faust makes of it: tests/faults/streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.streams import job
from tests.faults.streams.lab import Lab, experiment
from tests.faults.streams.scenarios import (
    BROKEN,
    changelog_refuses,
    killed_and_restarted,
    poison_among_the_work,
    row_over_the_limit,
)

pytestmark = pytest.mark.kafka

NewLab = Callable[..., Lab]


@pytest.fixture
def new_lab(kafka_bootstrap: str, tmp_path: Path) -> Iterator[NewLab]:
    """Makes experiments with topics of their own."""
    with experiment(kafka_bootstrap, tmp_path) as make:
        yield make


def test_a_kill_skips_and_repeats_nothing(new_lab: NewLab) -> None:
    verdict = killed_and_restarted(new_lab(), "base", count=3_000, kills=1)
    assert verdict.clean, verdict


@pytest.mark.slow
def test_refused_rows_end_the_process_before_the_commit(new_lab: NewLab) -> None:
    seen = changelog_refuses(new_lab(), "base", count=3_000)
    assert seen.exit_code == BROKEN
    assert seen.verdict.lost == 0
    assert seen.mended.clean, seen.mended


def test_poison_goes_to_dead_letters(new_lab: NewLab) -> None:
    lab = new_lab()
    verdict = poison_among_the_work(lab, "base", count=2_000)
    assert verdict.clean, verdict
    assert sorted(letter.value or b"" for letter in lab.topics.read(job.DEAD_LETTERS)) == sorted(
        item.value for item in lab.poison.values()
    )


def test_a_row_over_the_limit_is_one_dead_letter(new_lab: NewLab) -> None:
    lab = new_lab()
    seen = row_over_the_limit(lab, "base", count=400, restarts=1)
    assert seen.deaths == 0
    assert seen.verdict.clean, seen.verdict
    assert len(lab.topics.read(job.DEAD_LETTERS)) == 1
