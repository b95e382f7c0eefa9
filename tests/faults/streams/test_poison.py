"""Inputs nobody can use: stock acknowledges and forgets them, ours keeps them whole."""

from __future__ import annotations

import pytest

from tests.faults.streams import job
from tests.faults.streams.conftest import NewLab
from tests.faults.streams.scenarios import poison_among_the_work

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]


def test_stock_commits_poison_and_keeps_no_trace(new_lab: NewLab) -> None:
    lab = new_lab()
    verdict = poison_among_the_work(lab, "stock", count=3_000)
    print(verdict)
    assert lab.poison
    assert verdict.short == 0
    assert lab.topics.read(job.DEAD_LETTERS) == []


def test_ours_keeps_poison_whole_and_moves_on(new_lab: NewLab) -> None:
    lab = new_lab()
    verdict = poison_among_the_work(lab, "base", count=3_000)
    assert verdict.clean, verdict
    letters = {
        (int(letter.header("vigilo_dlq_partition")), int(letter.header("vigilo_dlq_offset"))): letter
        for letter in lab.topics.read(job.DEAD_LETTERS)
    }
    assert set(letters) == set(lab.poison)
    for position, item in lab.poison.items():
        letter = letters[position]
        assert (letter.key, letter.value) == (item.key.encode(), item.value)
        assert letter.header("vigilo_dlq_topic") == job.WORK
        expected = "processor-error" if b"raises" in item.value else "not-utf8"
        assert letter.header("vigilo_dlq_reason") == expected
