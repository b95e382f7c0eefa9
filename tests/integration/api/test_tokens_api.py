"""Tokens: shown once, kept as a hash, never worth more than their maker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.api.auth import looks_like_token, token_sha256
from tests.fakes.api_server import ApiServer
from tests.fakes.people import add_person

pytestmark = pytest.mark.postgres


def make(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("tokens", json={"name": "t", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def as_token(api: ApiServer, token: str, path: str = "hosts", method: str = "GET", **more: Any) -> int:
    url = f"{api.base_url}/api/v1/workspaces/one/{path}"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, url, headers=headers, trust_env=False, **more).status_code


def test_a_token_is_shown_once_and_kept_as_a_hash(api: ApiServer, one: httpx.Client) -> None:
    made = make(one, kind="service", role="member")
    assert looks_like_token(made["token"])
    assert made["token"] not in one.get("tokens?limit=200").text
    (row,) = api.rows("select * from config.tokens where token_id = %s", made["token_id"])
    assert bytes(row["sha256"]) == token_sha256(made["token"]) and made["token"] not in str(row)
    assert as_token(api, made["token"]) == 200
    (listed,) = [
        entry for entry in one.get("tokens?limit=200").json()["items"] if entry["token_id"] == made["token_id"]
    ]
    assert listed["last_used_at"] is not None


def test_a_repeated_request_repeats_the_same_token_from_a_sealed_answer(api: ApiServer, one: httpx.Client) -> None:
    headers, body = {"Idempotency-Key": "token-once"}, {"kind": "service", "name": "once"}
    first, second = (one.post("tokens", json=body, headers=headers).json() for _ in range(2))
    assert first == second
    kept = api.rows("select body from config.idempotency_keys where key = 'token-once'")
    assert first["token"].encode() not in bytes(kept[0]["body"])


def test_tokens_end_by_themselves_after_ninety_days_unless_told_otherwise(one: httpx.Client) -> None:
    ends = datetime.fromisoformat(make(one, kind="service")["expires_at"])
    assert timedelta(days=89) < ends - datetime.now(UTC) <= timedelta(days=90)
    assert make(one, kind="service", expires_in_days=None)["expires_at"] is None


def test_scopes_narrow_what_a_role_allows(api: ApiServer, one: httpx.Client) -> None:
    token = make(one, kind="service", role="admin", scopes=["view", "host.add"])["token"]
    assert as_token(api, token) == 200
    assert as_token(api, token, method="POST", json={"hostname": "scoped.example"}) == 201
    answer = httpx.post(
        f"{api.base_url}/api/v1/workspaces/one/channels",
        headers={"Authorization": f"Bearer {token}"},
        json={"kind": "webhook", "name": "c", "url": "https://c.example/"},
    )
    assert (answer.status_code, answer.json()["required_scope"]) == (403, "channel.manage")


def test_a_scoped_token_makes_no_wider_one(api: ApiServer, one: httpx.Client) -> None:
    token = make(one, kind="service", role="admin", scopes=["view", "tokens.service"])["token"]
    for body, status in (
        ({"scopes": ["view"]}, 201),
        ({"scopes": ["view", "host.add"]}, 422),
        ({}, 422),
    ):
        sent = {"kind": "service", "name": "t", **body}
        assert as_token(api, token, "tokens", "POST", json=sent) == status


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "service", "role": "owner"},
        {"kind": "feed", "role": "member"},
        {"kind": "feed", "scopes": ["view"]},
        {"kind": "installation"},
        {"kind": "service", "scopes": ["fly"]},
        {"kind": "service", "scopes": []},
        {"kind": "service", "expires_in_days": 0},
    ],
)
def test_what_no_token_may_be_is_refused(one: httpx.Client, body: dict[str, Any]) -> None:
    assert one.post("tokens", json={"name": "t", **body}).status_code == 422


def test_a_personal_token_is_never_above_its_maker(api: ApiServer) -> None:
    person = add_person(api, api.one, "member")
    with person.client() as client:
        assert client.post("tokens", json={"kind": "personal", "name": "t", "role": "admin"}).status_code == 422
        assert client.post("tokens", json={"kind": "service", "name": "t"}).status_code == 403
        made = make(client, kind="personal", role="viewer")
    assert made["user_id"] == str(person.user_id)
    assert as_token(api, made["token"], "hosts", "POST", json={"hostname": "above.example"}) == 403


def test_a_personal_token_belongs_to_a_person(one: httpx.Client) -> None:
    answer = one.post("tokens", json={"kind": "personal", "name": "t"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:vigilo:problem:not-a-person")


def test_people_see_and_end_their_own_tokens_and_administrators_all(api: ApiServer, one: httpx.Client) -> None:
    ann, bob = add_person(api, api.one, "member"), add_person(api, api.one, "viewer")
    with ann.client() as of_ann, bob.client() as of_bob:
        anns, bobs = make(of_ann, kind="personal"), make(of_bob, kind="personal")
        seen = {entry["token_id"] for entry in of_ann.get("tokens?limit=200").json()["items"]}
        assert anns["token_id"] in seen and bobs["token_id"] not in seen
        assert of_ann.delete(f"tokens/{bobs['token_id']}").status_code == 403
        assert of_ann.delete(f"tokens/{anns['token_id']}").status_code == 204
    everybody = {entry["token_id"] for entry in one.get("tokens?limit=200").json()["items"]}
    assert {anns["token_id"], bobs["token_id"]} <= everybody
    assert one.delete(f"tokens/{bobs['token_id']}").status_code == 204
    assert (as_token(api, anns["token"]), as_token(api, bobs["token"])) == (401, 401)


def test_an_administrator_does_not_end_an_owners_token(api: ApiServer) -> None:
    (row,) = api.rows("select token_id from config.tokens where sha256 = %s", token_sha256(api.one.tokens["owner"]))
    with api.one.client("admin") as client:
        assert client.delete(f"tokens/{row['token_id']}").status_code == 403


def test_a_feed_token_opens_nothing_but_feeds(api: ApiServer, one: httpx.Client) -> None:
    token = make(one, kind="feed")["token"]
    for path in ("hosts", "alerts", "members", "tokens", "quota", "invitations"):
        assert as_token(api, token, path) == 403, path
    assert as_token(api, token, "hosts", "POST", json={"hostname": "feed.example"}) == 403
