"""A workshop for each measurement, and a second one, just the same, for the yardstick beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.workshop import Workshop


@pytest.fixture
def workshop(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Workshop]:
    """Fresh topics; nothing runs yet."""
    fresh = Workshop(kafka_bootstrap, tmp_path)
    yield fresh
    fresh.close()


@pytest.fixture
def yard(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Workshop]:
    """As many topics again, for the bare agent."""
    fresh = Workshop(kafka_bootstrap, tmp_path)
    yield fresh
    fresh.close()
