"""docs/grades-table.md is what the table says: `python -m tests.grades.page` writes it."""

from __future__ import annotations

from tests.grades.page import PAGE, grouped, page
from tests.grades.table import ROWS


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page()


def test_every_row_is_on_the_page() -> None:
    assert grouped() == {row.id for row in ROWS}
