"""GET /events of the running API: who hears what, and when a stream ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from services.api.live import stream
from services.api.live.feed import STREAMS_PER_CALLER
from tests.fakes.api_server import ApiServer, Workspace, api_settings, served
from tests.fakes.event_stream import Follower, following

pytestmark = pytest.mark.postgres


def url_of(workspace: Workspace) -> str:
    return f"{workspace.base_url}/api/v1/workspaces/{workspace.slug}"


def opened(stack: ExitStack, workspace: Workspace, role: str = "viewer", after: str | None = None) -> Follower:
    return stack.enter_context(following(url_of(workspace), workspace.tokens[role], after=after))


def add_host(client: httpx.Client) -> str:
    answer = client.post("hosts", json={"hostname": f"{uuid4()}.example"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["host_id"])


def test_changes_of_the_configuration_are_heard_and_can_be_read(api: ApiServer, one: httpx.Client) -> None:
    rule = {"name": "r", "trigger": {"kind": "chain-validation-fails"}, "severity": "info"}
    channel = {"kind": "webhook", "name": "c", "url": "https://c.example/"}
    with ExitStack() as stack:
        follower = opened(stack, api.one)
        assert follower.response.headers["content-type"].startswith("text/event-stream")
        assert follower.response.headers["cache-control"] == "no-store"
        assert follower.next().kind == "ready"
        host_id = add_host(one)
        heard = follower.next()
        assert (heard.kind, heard.data["host_id"]) == ("host", host_id)
        assert one.get(f"hosts/{heard.data['host_id']}").json()["updated_at"][:19] == heard.data["at"][:19]
        one.patch(f"hosts/{host_id}", json={"owner": "x"})
        assert follower.next().data["host_id"] == host_id
        for path, body, kind in (("rules", rule, "rule"), ("channels", channel, "channel")):
            made = one.post(path, json=body).json()
            assert follower.until(kind).data[f"{kind}_id"] == made[f"{kind}_id"]
        one.delete(f"hosts/{host_id}")
        assert follower.until("host").data["host_id"] == host_id


def test_what_another_workspace_does_is_not_heard(api: ApiServer, one: httpx.Client, two: httpx.Client) -> None:
    with ExitStack() as stack:
        follower = opened(stack, api.two)
        assert follower.next().kind == "ready"
        add_host(one)
        own = add_host(two)
        assert follower.next().data["host_id"] == own
        with pytest.raises(httpx.HTTPStatusError) as refusal:
            stack.enter_context(following(url_of(api.one), api.two.tokens["owner"]))
        assert refusal.value.response.status_code == 404


def test_a_position_of_another_workspace_leads_to_nothing_of_it(
    api: ApiServer, one: httpx.Client, two: httpx.Client
) -> None:
    with ExitStack() as stack:
        add_host(one)
        follower = opened(stack, api.one)
        position = follower.next().position
        add_host(one)
        assert follower.next().kind == "host"
        assert opened(stack, api.two, after=position).next().kind == "resync"


def test_who_comes_back_hears_what_happened_meanwhile(api: ApiServer, one: httpx.Client) -> None:
    with ExitStack() as stack:
        position = opened(stack, api.one).next().position
    hosts = [add_host(one) for _ in range(3)]
    with ExitStack() as stack:
        follower = opened(stack, api.one, after=position)
        assert [follower.next().data["host_id"] for _ in hosts] == hosts


def test_positions_are_good_at_every_instance(api: ApiServer, one: httpx.Client, tmp_path: Path) -> None:
    with served(api_settings(api.api_url, tmp_path)) as second, ExitStack() as stack:
        other = f"{second}/api/v1/workspaces/one"
        witness = stack.enter_context(following(other, api.one.tokens["viewer"]))
        follower = opened(stack, api.one)
        assert (witness.next().kind, follower.next().kind) == ("ready", "ready")
        first, later = add_host(one), add_host(one)
        position = follower.next().position
        assert follower.next().data["host_id"] == later
        assert [witness.next().data["host_id"] for _ in range(2)] == [first, later]
        moved = stack.enter_context(following(other, api.one.tokens["viewer"], after=position))
        assert moved.next().data["host_id"] == later


def test_what_is_rolled_back_is_not_heard(api: ApiServer, one: httpx.Client) -> None:
    with ExitStack() as stack:
        follower = opened(stack, api.one)
        assert follower.next().kind == "ready"
        host_id = add_host(one)
        assert follower.next().data["host_id"] == host_id
        with psycopg.connect(api.admin_url) as connection:
            connection.execute("update config.hosts set owner = 'y' where host_id = %s", (host_id,))
            connection.rollback()
        own = add_host(one)
        assert follower.next().data["host_id"] == own


def test_a_revoked_token_hears_no_more(api: ApiServer, one: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.1)
    made = one.post("tokens", json={"kind": "feed", "name": "tool"}).json()
    with ExitStack() as stack:
        follower = stack.enter_context(following(url_of(api.one), made["token"]))
        assert follower.next().kind == "ready"
        assert not follower.ended.wait(0.5)
        assert one.delete(f"tokens/{made['token_id']}").status_code == 204
        assert follower.ended.wait(5)


def test_a_silent_stream_has_a_heartbeat(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    headers = {"Authorization": f"Bearer {api.one.tokens['viewer']}"}
    with httpx.stream("GET", f"{url_of(api.one)}/events", headers=headers, timeout=10, trust_env=False) as response:
        assert any(line.startswith(": ") for line in response.iter_lines())


def test_the_length_of_a_stream_is_not_counted_as_the_time_of_an_answer(api: ApiServer) -> None:
    with ExitStack() as stack:
        assert opened(stack, api.one).next().kind == "ready"
        shown = httpx.get(f"{api.base_url}/metrics", trust_env=False).text
        assert "vigilo_event_streams 1.0" in shown

    def left() -> bool:
        return "vigilo_event_streams 0.0" in httpx.get(f"{api.base_url}/metrics", trust_env=False).text

    eventually(left, "the stream is over")
    shown = httpx.get(f"{api.base_url}/metrics", trust_env=False).text
    answered = 'route="/api/v1/workspaces/{workspace}/events",status="200"'
    assert "vigilo_http_request_seconds" in shown and answered not in shown


def test_a_caller_has_ten_streams_and_gets_them_back(api: ApiServer) -> None:
    with ExitStack() as stack:
        for _ in range(STREAMS_PER_CALLER):
            opened(stack, api.one, "member")
        with pytest.raises(httpx.HTTPStatusError) as refusal:
            opened(stack, api.one, "member")
        answer = refusal.value.response
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        assert opened(stack, api.one, "viewer").next().kind == "ready"
    # They have left; the server notices each without being written to.
    with ExitStack() as stack:
        eventually(lambda: _opens(stack, api), "a stream is free again")


def _opens(stack: ExitStack, api: ApiServer) -> bool:
    try:
        return opened(stack, api.one, "member").next().kind == "ready"
    except httpx.HTTPStatusError:
        return False


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, f"not within 10 s: {what}"
        time.sleep(0.02)


def test_after_a_lost_connection_to_the_database_everybody_looks_again(api: ApiServer, one: httpx.Client) -> None:
    with ExitStack() as stack:
        follower = opened(stack, api.one)
        position = follower.next().position
        cut = api.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'vigilo-api-live' and datname = current_database()"
        )
        assert len(cut) == 1
        assert follower.next().kind == "resync"
        host_id = add_host(one)
        assert follower.next().data["host_id"] == host_id
        assert opened(stack, api.one, after=position).next().kind == "resync"


def test_a_notification_that_is_none_of_ours_makes_everybody_look_again(api: ApiServer, one: httpx.Client) -> None:
    with ExitStack() as stack:
        follower = opened(stack, api.one)
        assert follower.next().kind == "ready"
        api.rows("select pg_notify('vigilo_changes', 'hello')")
        assert follower.next().kind == "resync"
        host_id = add_host(one)
        assert follower.next().data["host_id"] == host_id


def test_the_end_of_the_server_ends_the_streams(api: ApiServer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        with served(api_settings(api.api_url, tmp_path)) as base_url:
            url = f"{base_url}/api/v1/workspaces/one"
            follower = stack.enter_context(following(url, api.one.tokens["viewer"]))
            assert follower.next().kind == "ready"
        # The server is gone, within the time `served` gives it; without the feed's end it would wait for the stream.
        assert follower.ended.wait(5)
