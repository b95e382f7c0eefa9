"""Idempotency-Key over HTTP: one effect, the same answer, no key that is stuck."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.fakes.api_server import ApiServer

pytestmark = pytest.mark.postgres


def key() -> dict[str, str]:
    return {"Idempotency-Key": f'"{uuid4()}"'}


def hosts_named(api: ApiServer, hostname: str) -> int:
    return len(api.rows("select 1 from config.hosts where hostname = %s", hostname))


def test_a_repeated_request_gets_the_same_answer_and_has_no_effect(api: ApiServer, one: httpx.Client) -> None:
    body, same = {"hostname": f"{uuid4().hex}.example"}, key()
    first = one.post("hosts", json=body, headers=same)
    again = one.post("hosts", json=body, headers=same)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again.headers["etag"], again.headers["location"]) == (first.headers["etag"], first.headers["location"])
    assert again.headers["idempotent-replayed"] == "true" and "idempotent-replayed" not in first.headers
    assert hosts_named(api, body["hostname"]) == 1
    assert len(api.rows("select 1 from config.outbox where aggregateid = %s", first.json()["host_id"])) == 1


def test_quotes_around_the_key_do_not_matter(one: httpx.Client) -> None:
    body, bare = {"hostname": f"{uuid4().hex}.example"}, str(uuid4())
    first = one.post("hosts", json=body, headers={"Idempotency-Key": bare})
    assert one.post("hosts", json=body, headers={"Idempotency-Key": f'"{bare}"'}).content == first.content


def test_the_same_key_for_another_request_is_refused(one: httpx.Client) -> None:
    same, hostname = key(), f"{uuid4().hex}.example"
    assert one.post("hosts", json={"hostname": hostname}, headers=same).status_code == 201
    other_body = one.post("hosts", json={"hostname": f"x{hostname}"}, headers=same)
    other_path = one.post("rules", json={"hostname": hostname}, headers=same)
    assert other_body.status_code == 422 and other_body.json()["errors"][0]["field"] == "Idempotency-Key"
    assert other_path.status_code == 422


def test_a_refused_request_does_not_use_up_its_key(one: httpx.Client) -> None:
    same, hostname = key(), f"{uuid4().hex}.example"
    holder = one.post("hosts", json={"hostname": hostname}).json()
    assert one.post("hosts", json={"hostname": hostname}, headers=same).status_code == 409
    assert one.delete(f"hosts/{holder['host_id']}").status_code == 204
    assert one.post("hosts", json={"hostname": hostname}, headers=same).status_code == 201


def test_many_at_once_with_one_key_have_one_effect(api: ApiServer) -> None:
    body, same = {"hostname": f"{uuid4().hex}.example"}, key()
    with api.one.client() as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("hosts", json=body, headers=same), range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    good = {answer.content for answer in answers if answer.status_code == 201}
    assert len(good) == 1
    assert all(a.json()["type"].endswith("idempotency-key-in-use") for a in answers if a.status_code == 409)
    assert hosts_named(api, body["hostname"]) == 1


def test_while_the_first_is_under_way_the_second_is_told_to_wait(api: ApiServer, one: httpx.Client) -> None:
    name, body = str(uuid4()), {"hostname": f"{uuid4().hex}.example"}
    place = f"{api.one.workspace_id}/idempotency/{name}"
    number = int.from_bytes(hashlib.sha256(place.encode()).digest()[:8], "big", signed=True)
    with psycopg.connect(api.api_url, autocommit=True) as running, running.transaction():
        running.execute("select pg_advisory_xact_lock(%s)", (number,))
        waiting = one.post("hosts", json=body, headers={"Idempotency-Key": name})
    assert waiting.status_code == 409 and waiting.headers["retry-after"]
    assert one.post("hosts", json=body, headers={"Idempotency-Key": name}).status_code == 201


@pytest.mark.parametrize("bad", ["a b", "é".encode("latin-1").decode("latin-1"), '""', "x" * 290])
def test_a_bad_key_is_refused(one: httpx.Client, bad: str) -> None:
    headers = [(b"Idempotency-Key", bad.encode("latin-1"))]
    answer = one.post("hosts", json={"hostname": f"{uuid4().hex}.example"}, headers=headers)
    assert answer.status_code == 400 and answer.json()["type"].endswith("bad-idempotency-key")


def test_a_secret_in_a_stored_answer_is_sealed_and_still_repeated(api: ApiServer, one: httpx.Client) -> None:
    same = key()
    body = {"kind": "webhook", "name": "sealed", "url": "https://sealed.example/path-secret"}
    first = one.post("channels", json=body, headers=same)
    assert first.json()["secret"].startswith("whsec_")
    assert one.post("channels", json=body, headers=same).content == first.content
    stored = api.rows("select body, key_id from config.idempotency_keys where key = %s", same["Idempotency-Key"][1:-1])
    assert stored[0]["key_id"] == "tests"
    assert first.json()["secret"].encode() not in bytes(stored[0]["body"])


def test_an_expired_answer_is_forgotten(api: ApiServer, one: httpx.Client) -> None:
    same = key()
    first = one.post("hosts", json={"hostname": f"{uuid4().hex}.example"}, headers=same)
    with psycopg.connect(api.admin_url, autocommit=True) as admin:
        admin.execute(
            "update config.idempotency_keys set expires_at = now() - interval '1 s' where key = %s",
            (same["Idempotency-Key"][1:-1],),
        )
    second = one.post("hosts", json={"hostname": f"{uuid4().hex}.example"}, headers=same)
    assert second.status_code == 201 and second.json()["host_id"] != first.json()["host_id"]
