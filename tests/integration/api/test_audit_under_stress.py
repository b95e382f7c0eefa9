"""The chain under concurrency and sudden death: a command, its entry and its events are all there or all absent."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.api.audit.verifying import verify
from tests.fakes.api_server import ApiServer, Workspace, make_workspace, migrated
from vigilo.adapters.postgres import connect
from vigilo.adapters.secrets import new_key
from vigilo_cli.launcher.ports import any_free

pytestmark = pytest.mark.postgres

WRITERS = 8
COMMANDS = 25
ROUNDS = 4
CHECKOUT = Path(__file__).parents[3]


def findings(url: str, workspace: Workspace) -> tuple[int, list[str]]:
    """How long the chain is, and what is wrong with it."""

    async def asked() -> tuple[int, list[str]]:
        async with await connect(url, name="tests") as connection:
            verdict = await verify(connection, workspace.workspace_id)
        return verdict.entries, [f"{one.sequence} {one.flaw}" for one in verdict.findings]

    return asyncio.run(asked())


def test_eight_writers_on_one_workspace_keep_the_chain_whole(api: ApiServer) -> None:
    before, _ = findings(api.api_url, api.one)

    def write(writer: int) -> None:
        with api.one.client() as client:
            body = {"hostname": f"w{writer}.example"}
            host_id = client.post("hosts", json=body).json()["host_id"]
            for n in range(COMMANDS - 1):
                assert client.patch(f"hosts/{host_id}", json={"owner": f"{n}"}).status_code == 200
                if n % 8 == 0:
                    assert client.post(f"hosts/{host_id}/snooze", json={"for": "1d"}).status_code == 200

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    after, flaws = findings(api.api_url, api.one)
    assert flaws == []
    assert after - before == WRITERS * (COMMANDS + 3)
    told = api.rows(
        "select (payload::json ->> 'sequence')::int as n from config.outbox where aggregatetype = 'audit' "
        "and workspace_id = %s order by position",
        api.one.workspace_id,
    )
    assert [row["n"] for row in told] == list(range(1, after + 1)), "the copy is not in the chain's order"


@contextmanager
def api_process(url: str, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The API as a process of its own, listening; killed at the end if it is still there."""
    port = any_free()
    environment = {
        **os.environ,
        "VIGILO_DATABASE_URL": url,
        "VIGILO_SECRET_KEYS": new_key("tests"),
        "VIGILO_PORT": str(port),
        "VIGILO_API_EMBED_RELAY": "false",
    }
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "services.api.app"], cwd=CHECKOUT, env=environment, stdout=output, stderr=output
        )
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = monotonic() + 60
        while not _answers(base):
            assert child.poll() is None and monotonic() < deadline, log.read_text()[-2000:]
            sleep(0.05)
        yield base, child
    finally:
        child.kill()
        child.wait(20)


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


class Hand:
    """Adds a host and edits it again and again, each command with a key of its own, until the API is gone."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.sent: list[tuple[str, str, dict[str, str], str]] = []
        self.answered = 0

    def work(self) -> None:
        try:
            with self.workspace.client() as client:
                body = {"hostname": f"{uuid4()}.example"}
                host_id = self._send(client, "POST", "hosts", body).json()["host_id"]
                while True:
                    self._send(client, "PATCH", f"hosts/{host_id}", {"owner": str(uuid4())})
        except httpx.TransportError:
            return

    def repeat_the_last(self) -> None:
        """Sends what may not have been answered once more, as a client does after a lost connection."""
        with self.workspace.client() as client:
            method, path, body, key = self.sent[-1]
            answer = client.request(method, path, json=body, headers={"Idempotency-Key": key})
            assert answer.status_code in {200, 201}, answer.text

    def _send(self, client: httpx.Client, method: str, path: str, body: dict[str, str]) -> httpx.Response:
        key = str(uuid4())
        self.sent.append((method, path, body, key))
        answer = client.request(method, path, json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in {200, 201}, answer.text
        self.answered += 1
        return answer


@pytest.mark.slow
def test_killed_in_the_middle_command_entry_and_events_are_all_there_or_all_absent(
    database: str, tmp_path: Path
) -> None:
    url = migrated(database)
    hands: list[Hand] = []
    workspace = asyncio.run(make_workspace(url, "one", ""))
    start = len(whole(database, url, workspace))
    for turn in range(ROUNDS):
        with api_process(url, tmp_path / "api.log") as (base, child):
            workspace.base_url = base
            for hand in hands[-WRITERS:]:
                hand.repeat_the_last()
            fresh = [Hand(workspace) for _ in range(WRITERS)]
            hands += fresh
            threads = [threading.Thread(target=hand.work) for hand in fresh]
            for thread in threads:
                thread.start()
            sleep(0.6 + 0.13 * turn)
            child.kill()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
        kept = whole(database, url, workspace)
        assert len(kept) - start >= sum(hand.answered for hand in hands), "what was answered is not there"
    with api_process(url, tmp_path / "api.log") as (base, _):
        workspace.base_url = base
        for hand in hands[-WRITERS:]:
            hand.repeat_the_last()
    sent = [key for hand in hands for *_, key in hand.sent]
    kept = whole(database, url, workspace)
    # Everything sent was answered or sent again: each key took effect exactly once.
    assert Counter(kept[start:]) == Counter(sent)
    assert len(sent) > ROUNDS * WRITERS


def whole(admin_url: str, url: str, workspace: Workspace) -> list[str]:
    """The keys of the commands that took effect; what each left behind fits together."""
    entries, flaws = findings(url, workspace)
    assert flaws == []
    with psycopg.connect(admin_url, autocommit=True) as connection:

        def asked(query: str) -> dict[object, int]:
            return dict(connection.execute(query).fetchall())

        versions = asked("select 'host:' || host_id, version from config.hosts")
        events = asked(
            "select 'host:' || aggregateid, count(*) from config.outbox where aggregatetype = 'hosts' group by 1"
        )
        told = asked("select subject, count(*) from config.audit_entries where subject like 'host:%' group by 1")
        assert versions == events == told
        copies = connection.execute("select count(*) from config.outbox where aggregatetype = 'audit'").fetchone()
        assert copies == (entries,)
        keys = connection.execute("select key from config.idempotency_keys order by created_at").fetchall()
        assert len(keys) == sum(told.values())
    return [row[0] for row in keys]
