"""Rows of one key meet the same way wherever a batch is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.projector.tables import (
    ALERTS,
    CERTIFICATES,
    REPORT_CARDS,
    TABLES,
    WORKSPACE_CERTIFICATES,
    Row,
    Table,
    folded,
)

NUMBERS = st.integers(0, 3)


def rows_for(table: Table) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.fixed_dictionaries(dict.fromkeys(table.columns, NUMBERS)), max_size=12)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_folding_in_pieces_is_folding_at_once(table: Table, data: st.DataObject) -> None:
    rows = data.draw(rows_for(table))
    cut = data.draw(st.integers(0, len(rows)))
    assert folded(table, [*folded(table, rows[:cut]), *folded(table, rows[cut:])]) == folded(table, rows)


@given(rows_for(WORKSPACE_CERTIFICATES))
def test_sightings_may_come_in_any_order(rows: list[Row]) -> None:
    # Sightings of one certificate come from several partitions.
    sightings = [row | {"first_seen_at": row["last_seen_at"]} for row in rows]
    assert folded(WORKSPACE_CERTIFICATES, sightings) == folded(WORKSPACE_CERTIFICATES, sightings[::-1])


def test_an_alert_is_as_its_greatest_transition_left_it_and_ties_keep_the_first() -> None:
    rows = [
        dict.fromkeys(ALERTS.columns, 0) | {"n": n, "state": state}
        for n, state in ((2, "a"), (5, "b"), (5, "c"), (3, "d"))
    ]
    assert [row["state"] for row in folded(ALERTS, rows)] == ["b"]


def test_a_later_card_of_a_scan_replaces_the_one_before() -> None:
    rows = [dict.fromkeys(REPORT_CARDS.columns, 0) | {"grade": grade} for grade in ("A", "B", "A-")]
    assert [row["grade"] for row in folded(REPORT_CARDS, rows)] == ["A-"]


def test_rows_come_in_the_order_of_their_keys() -> None:
    rows = [{"sha256": text, "der": "x"} for text in "cabca"]
    assert [row["sha256"] for row in folded(CERTIFICATES, rows)] == ["a", "b", "c"]
