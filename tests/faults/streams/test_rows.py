"""Rows: durable before the commit, in their own partition, small enough for the next restart."""

from __future__ import annotations

import pytest

from tests.faults.streams import job
from tests.faults.streams.conftest import NewLab
from tests.faults.streams.scenarios import BROKEN, changelog_refuses, row_over_the_limit, rows_elsewhere

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]


def test_stock_commits_past_rows_that_were_never_written(new_lab: NewLab) -> None:
    seen = changelog_refuses(new_lab(), "stock", count=18_000)
    print(seen)
    assert seen.exit_code is None
    assert seen.verdict.short == 0
    assert seen.rows < seen.decided


def test_ours_ends_before_the_commit_and_loses_no_row(new_lab: NewLab) -> None:
    seen = changelog_refuses(new_lab(), "base", count=18_000)
    print(seen)
    assert seen.exit_code == BROKEN
    assert seen.verdict.lost == 0
    assert seen.verdict.short > 0
    assert seen.mended.clean, seen.mended


def test_stock_writes_a_batchs_rows_to_other_partitions(new_lab: NewLab) -> None:
    rows, elsewhere = rows_elsewhere(new_lab(), "stock", count=5_000)
    print(f"{elsewhere} of {rows} rows elsewhere")
    assert elsewhere > rows / 4


def test_ours_writes_each_row_to_its_partition(new_lab: NewLab) -> None:
    rows, elsewhere = rows_elsewhere(new_lab(), "base", count=5_000)
    assert (rows, elsewhere) == (5_000, 0)


def test_stock_dies_of_one_large_row_at_each_restart(new_lab: NewLab) -> None:
    seen = row_over_the_limit(new_lab(), "stock", count=1_000, restarts=2)
    print(seen)
    assert seen.deaths == 3
    assert seen.verdict.short > 0


def test_ours_keeps_the_large_rows_input_and_moves_on(new_lab: NewLab) -> None:
    lab = new_lab()
    seen = row_over_the_limit(lab, "base", count=1_000, restarts=2)
    print(seen)
    assert seen.deaths == 0
    assert seen.verdict.clean, seen.verdict
    (letter,) = lab.topics.read(job.DEAD_LETTERS)
    assert letter.header("vigilo_dlq_reason") == "row-too-large"
