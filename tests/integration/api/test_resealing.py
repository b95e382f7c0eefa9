"""Keys of secrets are replaced: the new one in front, everything sealed again, the old one taken away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from services.api import resealing
from services.api.resealing import Rotated, rotate
from tests.fakes.api_server import ApiServer, running_api, served
from vigilo.adapters.postgres import connect
from vigilo.adapters.secrets import CannotOpen, Sealed, SecretBox, channel_place, new_key, parse_keys
from vigilo_cli.main import app

pytestmark = pytest.mark.postgres

OLD, NEW = new_key("old"), new_key("new")
CHANNEL = {"kind": "webhook", "name": "c", "url": "https://c.example/"}
ONCE = {"Idempotency-Key": "made-once"}


def filled(server: ApiServer, *, count: int) -> list[str]:
    """Channels of both workspaces; the first answer is kept."""
    made = []
    for workspace in (server.one, server.two):
        with workspace.client() as client:
            for number in range(count):
                answer = client.post("channels", json=CHANNEL, headers=ONCE if number == 0 else {})
                assert answer.status_code == 201, answer.text
                made.append(answer.json()["channel_id"])
    return made


def rotated(server: ApiServer, keys: str) -> Rotated:
    async def run() -> Rotated:
        async with await connect(server.api_url, name="test") as connection:
            return await rotate(connection, SecretBox(parse_keys(keys)))

    return asyncio.run(run())


def opened(server: ApiServer, keys: str) -> int:
    """How many channel secrets these keys open, as the notifier would. Raises CannotOpen."""
    box = SecretBox(parse_keys(keys))
    rows = server.rows("select * from notifier.channel_secrets")
    for row in rows:
        place = channel_place(row["workspace_id"], row["channel_id"])
        assert b"c.example" in box.open(Sealed(row["key_id"], bytes(row["ciphertext"])), place=place)
    return len(rows)


def test_everything_opens_with_the_new_key_alone(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "_BATCH", 2)
    with running_api(database, tmp_path, secret_keys=SecretStr(OLD)) as server:
        made = filled(server, count=5)
        with pytest.raises(CannotOpen):
            opened(server, NEW)
        both = f"{NEW},{OLD}"
        done = rotated(server, both)
        assert (done.resealed, done.left) == ({"channel secrets": 10, "kept answers": 2}, {})
        assert rotated(server, both) == Rotated()
        assert opened(server, NEW) == len(made) == 10
    settings = server.settings.model_copy(update={"secret_keys": SecretStr(NEW), "port": 0})
    with served(settings) as base_url:
        server.one.base_url = base_url
        with server.one.client() as client:
            again = client.post("channels", json=CHANNEL, headers=ONCE)
            assert (again.status_code, again.json()["channel_id"]) == (201, made[0])
            assert again.headers["Idempotent-Replayed"] == "true"
            assert client.patch(f"channels/{made[1]}", json={"url": "https://d.example/"}).status_code == 200


def test_what_no_key_opens_is_counted_and_left(database: str, tmp_path: Path) -> None:
    with running_api(database, tmp_path, secret_keys=SecretStr(OLD)) as server:
        filled(server, count=2)
        done = rotated(server, NEW)
        assert (done.resealed, done.left) == ({}, {"old": 6})
        assert opened(server, OLD) == 4


def test_the_command_says_how_many_and_fails_while_some_are_left(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_api(database, tmp_path, secret_keys=SecretStr(OLD)) as server:
        filled(server, count=1)
        monkeypatch.setenv("VIGILO_DATABASE_URL", server.api_url)
        monkeypatch.setenv("VIGILO_SECRET_KEYS", NEW)
        failed = CliRunner().invoke(app, ["secrets", "rotate"])
        assert failed.exit_code == 1 and "key old: 4 left" in failed.output
        monkeypatch.setenv("VIGILO_SECRET_KEYS", f"{NEW},{OLD}")
        done = CliRunner().invoke(app, ["secrets", "rotate"])
        assert done.exit_code == 0, done.output
        assert "channel secrets: 2 sealed again" in done.output and "nothing is left" in done.output
        assert NEW.partition(":")[2] not in failed.output + done.output
