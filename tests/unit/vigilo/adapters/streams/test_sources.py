"""Another Faust or aiokafka than the tested one is refused."""

from __future__ import annotations

import pytest

from vigilo.adapters.streams.sources import KNOWN, UnknownSource, check_sources, source_hash


def test_the_installed_sources_are_the_known_ones() -> None:
    assert len(KNOWN) > 50
    check_sources()


def test_a_changed_source_is_named() -> None:
    name = "faust.tables.recovery:Recovery.on_recovery_completed"
    with pytest.raises(UnknownSource, match="on_recovery_completed"):
        check_sources({name: "0" * 16})


@pytest.mark.parametrize("name", ["faust.tables.recovery:Recovery.gone", "faust.gone:X", "builtins:len"])
def test_a_source_that_is_gone_is_named(name: str) -> None:
    with pytest.raises(UnknownSource, match=name):
        source_hash(name)
