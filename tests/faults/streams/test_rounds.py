"""Twenty restart rounds with two workers. VIGILO_FAULT_REPORT names a file for the table of rounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.streams.conftest import NewLab
from tests.faults.streams.rounds import run_rounds

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(2400)]

ROUNDS = 20


def test_ours_has_one_effect_per_event_over_twenty_rounds(new_lab: NewLab) -> None:
    report = os.environ.get("VIGILO_FAULT_REPORT")
    seen = run_rounds(new_lab(), "base", rounds=ROUNDS, report=Path(report) if report else None)
    assert [one.number for one in seen if not one.verdict.clean] == []
    assert sum(one.by_itself for one in seen) == 0


def test_stock_has_not(new_lab: NewLab) -> None:
    seen = run_rounds(new_lab(), "stock", rounds=3, patience=20)
    assert seen[-1].verdict.over > 0
