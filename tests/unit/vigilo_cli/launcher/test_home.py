from __future__ import annotations

import stat
from pathlib import Path

import pytest

from vigilo_cli.launcher.home import check_space, lock, open_home, write_private
from vigilo_cli.launcher.problems import CannotStart


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_enter(tmp_path: Path) -> None:
    home = open_home(tmp_path / "deep" / "home")
    assert mode(home.root) == 0o700


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    first = home.secret("api-password")
    assert len(first) >= 32
    assert mode(home.root / "api-password") == 0o600
    assert open_home(tmp_path).secret("api-password") == first
    assert home.secret("other") != first


def test_a_private_file_is_replaced_whole_and_stays_private(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old and readable by everybody")
    file.chmod(0o644)
    write_private(file, "new")
    assert (file.read_text(), mode(file)) == ("new", 0o600)


def test_a_folder_is_held_by_one_and_free_afterwards(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    with lock(home), pytest.raises(CannotStart, match="already runs"):
        lock(home)
    lock(home).close()


def test_ports_stay_and_differ(tmp_path: Path) -> None:
    first = open_home(tmp_path)
    ports = {name: first.ports.get(name) for name in ("kafka", "postgres", "api")}
    assert len(set(ports.values())) == 3
    second = open_home(tmp_path)
    assert {name: second.ports.get(name) for name in ports} == ports
    assert second.ports.get("kafka") == ports["kafka"]


def test_a_port_a_person_chose_is_given_to_nobody(tmp_path: Path) -> None:
    taken = open_home(tmp_path).ports.get("kafka")
    again = open_home(tmp_path).ports
    again.reserve(taken)
    assert again.get("kafka") != taken


@pytest.mark.parametrize("content", ["", "[1]", "{", '{"kafka": "x"}'])
def test_a_damaged_ports_file_is_started_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    port = open_home(tmp_path).ports.get("kafka")
    assert open_home(tmp_path).ports.get("kafka") == port


def test_space_is_compared_in_megabytes(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    check_space(home, 0)
    with pytest.raises(CannotStart, match="1000000000 MB are needed"):
        check_space(home, 1_000_000_000)
