"""Rows from beyond the end of a topic are refused; the rest says whom to wake and what is still owed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vigilo.adapters.streams.ending import InvariantBroken
from vigilo.adapters.streams.resume import Ends
from vigilo.adapters.streams.rows import RowOutline

AT = datetime(2026, 11, 23, tzinfo=UTC)
ENDS = Ends(end={("told", 1): 10, ("hosts", 1): 4}, committed={("told", 1): 8})


def row(**offsets: int) -> RowOutline:
    return RowOutline(offsets=offsets, deleted=False, pending=None, next_at=None, side={})


def test_rows_up_to_the_end_are_possible() -> None:
    ENDS.check_row(row(told=9, hosts=3, dropped=99), 1)


@pytest.mark.parametrize("offsets", [{"told": 10}, {"told": 1, "hosts": 4}])
def test_rows_beyond_the_end_mean_a_recreated_topic(offsets: dict[str, int]) -> None:
    with pytest.raises(InvariantBroken, match="recreated"):
        ENDS.check_row(row(**offsets), 1)


def test_a_commit_beyond_the_end_means_a_recreated_topic() -> None:
    ENDS.check_committed()
    with pytest.raises(InvariantBroken, match=r"told/1 ends at offset 10"):
        Ends(end={("told", 1): 10}, committed={("told", 1): 11}).check_committed()


def test_only_committed_inputs_will_not_come_again() -> None:
    assert ENDS.is_committed("told", 1, 7)
    assert not ENDS.is_committed("told", 1, 8)
    assert not ENDS.is_committed("hosts", 1, 0)
