from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vigilo_cli.launcher.asking import ask
from vigilo_cli.launcher.database import PASSWORD_FILE, url_in
from vigilo_cli.launcher.home import Home, open_home, write_private
from vigilo_cli.launcher.ports import Ports
from vigilo_cli.launcher.problems import CannotStart
from vigilo_cli.launcher.processes import Command


def test_the_answer_comes_back_and_nowhere_else() -> None:
    command = Command("asked", (sys.executable, "-c", "import os; print(os.environ['WHAT'])"), {"WHAT": "a link"})
    assert ask(command) == "a link"


def test_a_complaint_is_passed_on() -> None:
    with pytest.raises(CannotStart, match="cannot do it"):
        ask(Command("asked", (sys.executable, "-c", "import sys; sys.exit('I cannot do it')")))


def test_a_home_without_a_database_of_its_own_has_no_url(tmp_path: Path) -> None:
    assert url_in(open_home(tmp_path)) is None


def test_the_url_of_a_running_database_names_the_port_it_has_though_it_is_taken(tmp_path: Path) -> None:
    write_private(tmp_path / PASSWORD_FILE, "s3cret")
    port = Ports(tmp_path / "ports.json").get("postgres")
    home = Home(tmp_path, Ports(tmp_path / "ports.json"))
    assert url_in(home) == f"postgresql://postgres:s3cret@127.0.0.1:{port}/postgres"
