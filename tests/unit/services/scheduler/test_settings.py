"""The scheduler's settings name what is wrong with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.scheduler.planning import Timing
from services.scheduler.settings import SchedulerSettings
from vigilo.adapters.settings import BadSettings, read


def test_by_default_there_is_one_pool_and_the_products_own_patience() -> None:
    settings = read(SchedulerSettings)
    assert settings.pools == ("public",)
    assert settings.timing() == Timing()


def test_pools_and_patience_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_POOLS", "public, dc1")
    monkeypatch.setenv("VIGILO_NOT_PERFORMED_AFTER", "30s")
    settings = read(SchedulerSettings)
    assert settings.pools == ("public", "dc1")
    assert settings.timing().grace == timedelta(seconds=30)


@pytest.mark.parametrize(("name", "value"), [("POOLS", "now"), ("POOLS", "Dc_1"), ("RETRY_AFTER", "0s")])
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"VIGILO_{name}", value)
    with pytest.raises(BadSettings, match=f"VIGILO_{name}"):
        read(SchedulerSettings)
