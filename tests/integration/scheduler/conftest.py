"""Labs with the scheduler's topics: a fresh one, and one whose scheduler runs with short patience."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.service_lab import ServiceLab

HASTY = {"VIGILO_FAST_VALIDITY": "1s", "VIGILO_NOT_PERFORMED_AFTER": "1s", "VIGILO_RETRY_AFTER": "1s"}


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[ServiceLab]:
    """A fresh lab; nothing runs yet."""
    fresh = ServiceLab(kafka_bootstrap, topic_prefix, tmp_path, "scheduler")
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def hasty(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    """A lab shared by a module's tests; its scheduler waits a second where the product waits a minute."""
    folder = tmp_path_factory.mktemp("hasty")
    shared = ServiceLab(kafka_bootstrap, f"t-scheduler-{folder.stat().st_ino}-", folder, "scheduler")
    shared.start("scheduler", **HASTY)
    yield shared
    shared.close()
