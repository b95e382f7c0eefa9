"""Fixtures of the fault lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.streams.broker import PausableBroker
from tests.faults.streams.lab import Lab, experiment
from vigilo_cli.launcher.problems import CannotStart

NewLab = Callable[..., Lab]


@pytest.fixture
def new_lab(kafka_bootstrap: str, tmp_path: Path) -> Iterator[NewLab]:
    """Makes experiments, each with topics of its own; ends their workers and deletes their topics afterwards."""
    with experiment(kafka_bootstrap, tmp_path) as make:
        yield make


@pytest.fixture(scope="session")
def pausable_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PausableBroker]:
    """A broker of our own, a local process that may be stopped for a while."""
    try:
        broker = PausableBroker(tmp_path_factory.mktemp("broker"))
    except CannotStart as reason:
        pytest.skip(f"a broker of our own is needed: {reason}")
    yield broker
    broker.stop()
