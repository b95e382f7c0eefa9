"""Labs with the alerter's topics: a fresh one, and one with a running alerter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.service_lab import ServiceLab


@pytest.fixture
def lab(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[ServiceLab]:
    """A fresh lab; nothing runs yet."""
    fresh = ServiceLab(kafka_bootstrap, topic_prefix, tmp_path, "alerter")
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def running(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceLab]:
    """A lab shared by a module's tests, each with a workspace of its own."""
    folder = tmp_path_factory.mktemp("running")
    shared = ServiceLab(kafka_bootstrap, f"t-alerter-{folder.stat().st_ino}-", folder, "alerter")
    shared.start("alerter")
    yield shared
    shared.close()
