"""Requests nobody thought of, by the API's own description, as five roles and two workspaces: every check, no failure.

`positive_data_acceptance` also takes 412 and 422 for an answer: a precondition, and what no schema can say (a pool of
this workspace, a name without hidden characters, a cursor that was given out). `negative_data_rejection` takes 412 too,
and no 5xx: an entity tag that is none of ours fits no version. All other checks are as they come,
`object_level_authorization` included: what one workspace's owner reads, the other's is asked to read too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.api_server import ROLES, ApiServer
from tests.fakes.people import add_person

pytestmark = pytest.mark.postgres

TOOL = Path(sys.executable).with_name("schemathesis")
BASE = """
[parameters]
"path.workspace" = "one"

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422]

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429]
"""
RULE = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
CHANNEL = {"kind": "webhook", "name": "c", "url": "https://c.example/"}


@pytest.fixture
def server(api: ApiServer) -> ApiServer:
    """The API with one thing of each kind in workspace one."""
    with api.one.client() as owner:
        owner.post("hosts", json={"hostname": "seed.example"})
        for path, body in (("rules", RULE), ("channels", CHANNEL), ("invitations", {"role": "viewer"})):
            assert owner.post(path, json=body).status_code == 201
    add_person(api, api.one, "member")
    return api


def identities(folder: Path, tokens: dict[str, str]) -> dict[str, Any]:
    """Where the tool finds the tokens; the names are those of peers, who must not see each other's things."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name, token in tokens.items()
    ]
    path = folder / "identities.json"
    path.write_text(json.dumps({"auth": users}))
    return {"path": str(path), **({"peers": list(tokens)} if len(tokens) > 1 else {})}


def hunt(api: ApiServer, folder: Path, tokens: dict[str, str], *, examples: int, seconds: int, more: str) -> None:
    """Runs the tool; fails with its report when it finds anything."""
    config = folder / "schemathesis.toml"
    found = identities(folder, tokens)
    section = "\n[auth.wfc]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in found.items())
    config.write_text(BASE + section)
    arguments = ["run", f"{api.base_url}/api/v1/openapi.json", "--checks", "all", "--max-examples", str(examples)]
    # A stream never ends, and the tool reads answers to their end (tests/integration/api/test_events_api.py).
    arguments += ["--exclude-path-regex", "/events$"]
    done = subprocess.run(
        [str(TOOL), "--config-file", str(config), *arguments, "--continue-on-failure", "--no-color", *more.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "No tests were run" not in done.stdout and " passed" in done.stdout, done.stdout[-2_000:]


@pytest.mark.parametrize("role", ROLES)
def test_no_request_as_any_role_is_answered_against_the_description(
    server: ApiServer, tmp_path: Path, role: str
) -> None:
    token = add_person(server, server.one, role).token
    # The longest phase tries each value of each field, in which roles do not differ: one runs it, the slow hunt all.
    phases = "" if role == "admin" else " --phases examples,fuzzing,stateful"
    hunt(server, tmp_path, {role: token}, examples=2, seconds=180, more=f"--seed 1{phases}")


def test_owners_of_two_workspaces_do_not_get_at_each_others_things(server: ApiServer, tmp_path: Path) -> None:
    tokens = {"one": server.one.tokens["owner"], "two": server.two.tokens["owner"]}
    hunt(server, tmp_path, tokens, examples=1, seconds=180, more="--seed 2")


@pytest.mark.slow
@pytest.mark.timeout(1900)
@pytest.mark.parametrize("role", ROLES)
def test_a_longer_hunt_finds_nothing_either(server: ApiServer, tmp_path: Path, role: str) -> None:
    token = add_person(server, server.one, role).token
    hunt(server, tmp_path, {role: token}, examples=60, seconds=1800, more="")


@pytest.mark.slow
@pytest.mark.timeout(1900)
def test_a_longer_hunt_across_workspaces_finds_nothing_either(server: ApiServer, tmp_path: Path) -> None:
    tokens = {"one": server.one.tokens["owner"], "two": server.two.tokens["owner"]}
    hunt(server, tmp_path, tokens, examples=60, seconds=1800, more="")
