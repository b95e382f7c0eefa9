"""Commands that look after an installation find the one of `vigilo up` on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vigilo_cli.local import local_servers


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home as `vigilo up` leaves it."""
    (tmp_path / "ports.json").write_text(json.dumps({"kafka": 24_001, "postgres": 24_002, "api": 24_003}))
    (tmp_path / "postgres-password").write_text("open-sesame\n")
    return tmp_path


def test_the_servers_of_the_home_are_meant_when_none_are_named(home: Path) -> None:
    assert local_servers({"VIGILO_HOME": str(home)}) == {
        "VIGILO_KAFKA_BOOTSTRAP": "127.0.0.1:24001",
        "VIGILO_DATABASE_URL": "postgresql://postgres:open-sesame@127.0.0.1:24002/postgres",
    }


@pytest.mark.parametrize("name", ["VIGILO_KAFKA_BOOTSTRAP", "VIGILO_KAFKA_BOOTSTRAP_FILE"])
def test_what_a_person_named_holds(home: Path, name: str) -> None:
    assert set(local_servers({"VIGILO_HOME": str(home), name: "kafka.acme.test:9092"})) == {"VIGILO_DATABASE_URL"}


def test_without_a_home_nothing_is_assumed(tmp_path: Path) -> None:
    assert local_servers({"VIGILO_HOME": str(tmp_path / "nowhere")}) == {}
