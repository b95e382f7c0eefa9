"""One system for all end-to-end tests: each uses hosts, rules and receivers of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.duty import Duty, on_duty
from tests.e2e.vigilo import Vigilo, system


@pytest.fixture(scope="session")
def vigilo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vigilo]:
    """A whole Vigilo, ready; the rules a workspace begins with are gone, for tests count alerts of their own."""
    with system(tmp_path_factory.mktemp("e2e") / "home") as running:
        recommended = running.get("rules").json()["items"]
        assert len(recommended) == 6
        for rule in recommended:
            assert running.client.delete(f"rules/{rule['rule_id']}").status_code == 204
        yield running


@pytest.fixture(scope="session")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duty]:
    """Another whole Vigilo, for all tests of alerting: channels of all kinds, and the rules a workspace begins with."""
    with on_duty(tmp_path_factory.mktemp("duty") / "home") as running:
        yield running
