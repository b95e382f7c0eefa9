"""The scheduler's settings name what is wrong with them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.scheduler.planning import Timing
from services.scheduler.settings import SchedulerSettings
from vigilo.adapters.settings import BadSettings, read


def test_by_default_the_patience_is_the_products_own() -> None:
    assert read(SchedulerSettings).timing() == Timing()


def test_rechecks_can_be_had_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_RECHECK_SPACING", "2s")
    assert read(SchedulerSettings).timing().recheck_spacing == timedelta(seconds=2)


def test_patience_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_NOT_PERFORMED_AFTER", "30s")
    assert read(SchedulerSettings).timing().grace == timedelta(seconds=30)


@pytest.mark.parametrize(("name", "value"), [("RETRY_AFTER", "0s"), ("FAST_VALIDITY", "soon")])
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"VIGILO_{name}", value)
    with pytest.raises(BadSettings, match=f"VIGILO_{name}"):
        read(SchedulerSettings)
