from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from services.api.system_routes import DOCS_PATH
from vigilo_cli.launcher.arrival import where_to_go
from vigilo_cli.launcher.home import open_home, write_private


def test_the_token_itself_is_never_shown_and_its_path_can_be_pasted(tmp_path: Path) -> None:
    home = open_home(tmp_path / "my home")
    write_private(home.owner_token, "vgl_verysecret")
    text = "\n".join(where_to_go(home, 8123, seconds=3.2))
    assert "vgl_verysecret" not in text
    assert "http://127.0.0.1:8123" in text
    assert f"http://127.0.0.1:8123{DOCS_PATH} " in text
    assert f"$(cat {shlex.quote(str(home.owner_token))})" in text


def test_the_command_is_one_a_shell_understands(tmp_path: Path) -> None:
    text = "\n".join(where_to_go(open_home(tmp_path), 8080, seconds=1))
    command = text[text.index("  curl") : text.index("\n\nAPI")]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    assert words[-1] == '{"hostname": "example.org"}'


def test_a_path_below_the_working_folder_is_shown_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "\n".join(where_to_go(open_home(Path(".vigilo")), 8080, seconds=1))
    assert ".vigilo/owner-token" in text
    assert str(tmp_path) not in text


def test_the_sign_in_link_is_shown_when_there_is_one(tmp_path: Path) -> None:
    link = "http://127.0.0.1:8080/sign-in/link/abc"
    assert f"within 10 minutes): {link}\n" in "\n".join(where_to_go(open_home(tmp_path), 8080, seconds=1, link=link))
    assert "sign-in" not in "\n".join(where_to_go(open_home(tmp_path), 8080, seconds=1)).lower()
