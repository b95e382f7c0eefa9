"""`vigilo hosts|rules|alerts` against a real API: what people type, read, and are told when wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from tests.fakes.alerts import transition
from tests.fakes.api_server import ApiServer, running_api
from tests.fakes.read_model import put
from vigilo.events.alerts import TransitionKind
from vigilo_cli.main import app

pytestmark = pytest.mark.postgres

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def api(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The API with workspaces one and two."""
    with running_api(module_database, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def run(api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `vigilo ...` as the owner of workspace one, whose token is in the home."""
    (tmp_path / "owner-token").write_text(f"{api.one.tokens['owner']}\n")
    for name, value in {"URL": api.base_url, "WORKSPACE": "one", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(f"VIGILO_{name}", value)
    monkeypatch.delenv("VIGILO_TOKEN", raising=False)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def good(result: Any) -> str:
    assert result.exit_code == 0, result.output
    return str(result.output).strip()


def test_a_host_is_added_found_by_name_paused_and_snoozed(api: ApiServer, run: Run) -> None:
    name = f"{uuid4()}.example"
    host = good(run("hosts", "add", f"{name}:8443", "--tag", "prod", "--interval", "6h"))
    shown = good(run("hosts", "list", "--tag", "prod"))
    assert name in shown and "8443" in shown and host in shown and shown.startswith("HOST")
    good(run("hosts", "pause", name))
    good(run("hosts", "resume", f"{name}:8443"))
    assert good(run("hosts", "snooze", host, "--for", "1d", "--reason", "CHG-1")).startswith("until 20")
    (kept,) = [one for one in json.loads(good(run("hosts", "list", "--json"))) if one["host_id"] == host]
    assert (kept["status"], kept["snooze"]["reason"], kept["interval"]) == ("active", "CHG-1", "6h")
    good(run("hosts", "snooze", name, "--end"))
    six = good(run("hosts", "add", "[2606:4700::1111]:853"))
    assert six in good(run("hosts", "list"))
    for written in ("2606:4700::1111", "[2606:4700::1111]", "[2606:4700:0::1111]:853"):
        good(run("hosts", "pause", written))
    assert run("hosts", "pause", "[2606:4700::1111]:443").exit_code == 1


def test_names_are_taken_as_people_write_them(run: Run) -> None:
    label = uuid4()
    good(run("hosts", "add", f"Bücher-{label}.example."))
    good(run("hosts", "pause", f"BÜCHER-{label}.example"))
    for wrong in ("two words", "a.example:99999", "a.example:https"):
        for doing in ("add", "pause"):
            refused = run("hosts", doing, wrong)
            assert (refused.exit_code, "allowed" in refused.output) == (1, True)


def test_a_rule_is_added_with_parameters_shown_and_snoozed(run: Run) -> None:
    made = good(run("rules", "add", "Soon", "--trigger", "expires-in-less-than", "--set", "days=14", "--tag", "nobody"))
    assert "note: No host carries the tag nobody now." in made
    rule = made.splitlines()[-1]
    assert json.loads(good(run("rules", "show", rule)))["trigger"]["days"] == 14
    assert "tag nobody" in good(run("rules", "list"))
    good(run("rules", "snooze", rule, "--for", "1w"))
    assert json.loads(good(run("rules", "show", rule)))["snoozed_until"] is not None
    good(run("rules", "snooze", rule, "--end"))


def test_an_alert_is_listed_and_acknowledged(api: ApiServer, run: Run) -> None:
    host = good(run("hosts", "add", f"{uuid4()}.example"))
    opened = transition(TransitionKind.OPENED, workspace_id=api.one.workspace_id, host_id=UUID(host))
    put(api.admin_url, opened)
    shown = good(run("alerts", "list", "--host", host))
    assert str(opened.alert_id) in shown and "expires in 20 days" in shown
    assert str(opened.alert_id) not in good(run("alerts", "list", "--host", host, "--state", "closed"))
    good(run("alerts", "ack", str(opened.alert_id), "--note", "on it"))
    with api.one.client() as client:
        (entry,) = client.get("audit", params={"subject": f"alert:{opened.alert_id}"}).json()["items"]
    assert entry["after"]["note"] == "on it"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("hosts", "pause", "nowhere.example"), "there is no host nowhere.example"),
        (("hosts", "add", "a.example", "--interval", "7m"), "interval: "),
        (("rules", "add", "x", "--trigger", "soon"), "trigger.kind: "),
        (("alerts", "ack", str(uuid4())), "no such alert"),
    ],
)
def test_what_is_wrong_is_told_and_ends_with_status_1(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, words in result.output) == (1, True), result.output


def test_without_a_token_or_an_api_it_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_URL", "http://127.0.0.1:1")
    assert run("alerts", "list").exit_code == 1
    (tmp_path / "owner-token").unlink()
    missing = run("alerts", "list")
    assert missing.exit_code == 1 and "owner-token" in missing.output
