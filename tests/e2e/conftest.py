"""One system for all end-to-end tests: each uses hosts, rules and receivers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.vigilo import Vigilo, system


@pytest.fixture(scope="session")
def vigilo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vigilo]:
    """A whole Vigilo, ready."""
    with system(tmp_path_factory.mktemp("e2e") / "home") as running:
        yield running
