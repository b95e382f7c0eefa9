"""Stages for the stream tests: a shared one with a running worker, and fresh ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.vigilo.adapters.streams.stage import Stage, Worker


@pytest.fixture
def stage(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Stage]:
    """A fresh stage without topics or workers."""
    fresh = Stage(kafka_bootstrap, tmp_path)
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def shared(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage with one running worker, for all tests of a module; each uses keys of its own."""
    common = Stage(kafka_bootstrap, tmp_path_factory.mktemp("shared"))
    common.create_topics()
    common.start(COMMIT_INTERVAL_S="0.2").until_ready(partitions=range(4))
    yield common
    common.close()


@pytest.fixture
def worker(shared: Stage) -> Worker:
    """The shared stage's worker."""
    return shared.workers[0]
