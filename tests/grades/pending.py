"""Where the rules differ from what a row of the table argues: a list to be emptied, not to grow old."""

from __future__ import annotations

from collections.abc import Mapping

# (row, rulebook): the day, what the rules say, and why the row stands.
PENDING: Mapping[tuple[str, str], str] = {}
