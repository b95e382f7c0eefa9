"""`vigilo config` shows every setting of every service, whatever is wrong, and no secret."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

import vigilo_cli
from vigilo.adapters.settings import EnvironmentSettings, Settings
from vigilo_cli.config import LAUNCHER, app, effective, settings_classes


class NeedySettings(Settings):
    """Settings with something that must be given."""

    needy_password: SecretStr
    needy_count: int = 3


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("VIGILO_"):
            monkeypatch.delenv(name)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_every_service_with_settings_is_shown() -> None:
    found = settings_classes()
    folders = {path.parent.name for path in Path(vigilo_cli.__file__).parents[1].glob("services/*/settings.py")}
    assert folders <= {service for service, _ in found}
    assert "ProjectorSettings" in {settings.__name__ for _, settings in found}


def test_values_and_their_source_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_REPLICATION", "3")
    shown = json.loads(run("--json").stdout)
    assert shown["VIGILO_KAFKA_REPLICATION"] == {"value": "3", "source": "environment"}
    assert shown["VIGILO_KAFKA_TOPIC_PREFIX"] == {"value": "vigilo-", "source": "default"}


def test_a_typing_error_in_a_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_BOOSTRAP", "127.0.0.1:9092")
    assert "VIGILO_KAFKA_BOOSTRAP is set, but no service reads it" in run().stderr


def test_a_bad_value_is_named_and_everything_else_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_KAFKA_REPLICATION", "0")
    result = run()
    assert result.exit_code == 1
    assert "VIGILO_KAFKA_REPLICATION: Input should be greater than or equal to 1" in result.stderr
    assert "no service reads" not in result.stderr
    assert "VIGILO_KAFKA_BOOTSTRAP" in result.stdout
    assert "VIGILO_HISTORY" in result.stdout


def test_what_must_be_given_is_shown_as_missing() -> None:
    rows, problems = effective([("needy", NeedySettings)])
    shown = {row.variable: row.value for row in rows}
    assert (shown["VIGILO_NEEDY_PASSWORD"], shown["VIGILO_NEEDY_COUNT"]) == ("(missing)", "3")
    assert problems == ["VIGILO_NEEDY_PASSWORD: Field required (needy)"]


def test_no_secret_is_shown_even_when_the_settings_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_NEEDY_PASSWORD", "hunter2")
    monkeypatch.setenv("VIGILO_NEEDY_COUNT", "x")
    rows, problems = effective([("needy", NeedySettings)])
    assert problems
    assert "hunter2" not in repr(rows) + repr(problems)


def test_a_variable_that_two_services_read_differently_is_shown_twice() -> None:
    class One(EnvironmentSettings):
        """One service."""

        workers: int = 1

    class Two(EnvironmentSettings):
        """Another service."""

        workers: int = 2

    rows, _ = effective([("one", One), ("two", Two)])
    assert [row.value for row in rows if row.variable == "VIGILO_WORKERS"] == ["1", "2"]


def test_the_launchers_own_variables_are_known() -> None:
    """Every variable the launcher's code names is a setting of a service or in its own list."""
    folder = Path(vigilo_cli.__file__).parent
    sources = [folder / "up.py", *(folder / "launcher").glob("*.py")]
    named = {name for path in sources for name in re.findall(r'"(VIGILO_[A-Z_]*[A-Z])"', path.read_text())}
    rows, _ = effective(settings_classes())
    known = {row.variable for row in rows}
    assert {name for name in named if name.removesuffix("_FILE") not in known} == set()
    assert set(LAUNCHER) <= known
