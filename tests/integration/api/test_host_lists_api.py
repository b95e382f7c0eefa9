"""Lists of hosts over HTTP: pages, filters, bad queries."""

from __future__ import annotations

from itertools import pairwise
from uuid import uuid4

import httpx
import pytest

from tests.integration.api.asking import add, problem

pytestmark = pytest.mark.postgres


def test_pages_follow_each_other_without_gap_or_repeat(one: httpx.Client) -> None:
    tag = uuid4().hex
    made = {add(one, tags=[tag])["host_id"] for _ in range(7)}
    seen: list[str] = []
    answer = one.get("hosts", params={"tag": tag, "limit": 3})
    while True:
        seen += [item["host_id"] for item in answer.json()["items"]]
        following = answer.json()["next"]
        if following is None:
            assert "link" not in answer.headers
            break
        assert answer.links["next"]["url"].startswith("/api/v1/workspaces/one/hosts?")
        answer = one.get(answer.links["next"]["url"].removeprefix("/api/v1/workspaces/one/"))
    assert len(seen) == 7 and set(seen) == made
    names = [one.get(f"hosts/{host_id}").json()["hostname"] for host_id in seen]
    assert all(earlier <= later for earlier, later in pairwise(names))


def test_filters_by_text_tag_and_status(one: httpx.Client) -> None:
    host = add(one, tags=["x%y_z"], hostname=f"a_b{uuid4().hex[:8]}.example")
    assert [item["host_id"] for item in one.get("hosts", params={"q": host["hostname"][:11].upper()}).json()["items"]]
    assert one.get("hosts", params={"q": "a%b"}).json()["items"] == []
    assert [item["host_id"] for item in one.get("hosts", params={"tag": "x%y_z"}).json()["items"]] == [host["host_id"]]
    one.post(f"hosts/{host['host_id']}/pause")
    paused = one.get("hosts", params={"status": "paused", "q": host["hostname"]}).json()["items"]
    assert [item["host_id"] for item in paused] == [host["host_id"]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "status=gone",
        "cursor=%21",
        "cursor=W10",
        "cursor=bnVsbA",
        "colour=red",
        "q=%00",
        "tag=a%00",
    ],
)
def test_a_bad_query_is_refused(one: httpx.Client, query: str) -> None:
    assert problem(one.get(f"hosts?{query}"), 422)["errors"][0]["location"] == "query"
