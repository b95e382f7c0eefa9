from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from vigilo_cli.main import COMMANDS, app


@pytest.mark.parametrize("module", COMMANDS.values())
def test_every_command_of_the_table_is_there(module: str) -> None:
    assert isinstance(import_module(module).app, typer.Typer)


def test_help_lists_every_command_with_a_sentence() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f" {name} " in shown.stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(app, ["nonsense"]).exit_code == 2


def test_one_command_does_not_pay_for_the_others() -> None:
    script = "import sys, vigilo_cli.main; print(sorted({name.split('.')[0] for name in sys.modules}))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for costly in ("confluent_kafka", "psycopg", "faust", "cryptography", "fastapi", "pydantic"):
        assert f"'{costly}'" not in answer.stdout
