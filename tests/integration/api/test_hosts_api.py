"""/hosts over HTTP: what is accepted, what is refused and how, and what leaves through the outbox."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.fakes.api_server import ApiServer
from tests.integration.api.asking import add, name, outbox, problem
from vigilo.events.codec import decode_value
from vigilo.events.hosts import Host, HostCommand, HostCommandKind
from vigilo.events.ids import command_scan_id, record_id

pytestmark = pytest.mark.postgres


def test_a_host_is_added_with_defaults_and_told_once(api: ApiServer, one: httpx.Client) -> None:
    wanted = name()
    answer = one.post("hosts", json={"hostname": wanted.upper() + "."})
    host = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert one.get(f"{api.base_url}{answer.headers['location']}").json() == host
    assert (host["hostname"], host["port"], host["interval"], host["status"]) == (wanted, 443, "1h", "active")
    (row,) = outbox(api, host["host_id"])
    event = decode_value(row["payload"].encode(), Host)
    assert (row["aggregatetype"], row["type"]) == ("hosts", "vigilo.host.v1")
    assert row["id"] == record_id(event.host_id, 1)
    assert event.workspace_id == api.one.workspace_id
    headers = dict(row["headers"])
    assert headers["ce_id"] == str(row["id"]) and headers["ce_subject"] == host["host_id"]


def test_all_fields_survive_the_way_in_and_out(api: ApiServer, one: httpx.Client) -> None:
    wanted = {
        "hostname": name(),
        "port": 8443,
        "interval": "5m",
        "tags": ["prod", "web"],
        "protocol": "smtp",
        "sni": "other.example",
        "address": "2001:DB8:0:0:0:0:0:1".replace("2001:DB8", "2a00:1450"),
        "trust": "private",
        "probing": "handshake-only",
        "owner": "team",
        "notes": "two\nlines",
        "runbook_url": "https://wiki.example/x",
        "references": ["CHG-1"],
    }
    host = add(one, **wanted)
    assert host["address"] == "2a00:1450::1"
    assert {key: host[key] for key in wanted if key != "address"} == {k: v for k, v in wanted.items() if k != "address"}
    assert one.get(f"hosts/{host['host_id']}").json() == host


BAD_HOSTS: list[tuple[str, dict[str, Any], str]] = [
    ("scheme", {"hostname": "https://www.example.com"}, "hostname"),
    ("path", {"hostname": "www.example.com/path"}, "hostname"),
    ("space", {"hostname": "www example.com"}, "hostname"),
    ("control character", {"hostname": "www\x07.example.com"}, "hostname"),
    ("null character", {"hostname": "www\x00.example.com"}, "hostname"),
    ("newline", {"hostname": "www.example.com\n"}, "hostname"),
    ("too long", {"hostname": ".".join(["a" * 49] * 6)}, "hostname"),
    ("label too long", {"hostname": "a" * 64 + ".example"}, "hostname"),
    ("bad IDNA", {"hostname": "xn--a.example"}, "hostname"),
    ("bad IDNA, unicode", {"hostname": "\u0378.example"}, "hostname"),
    ("empty", {"hostname": ""}, "hostname"),
    ("missing", {}, "hostname"),
    ("not text", {"hostname": 7}, "hostname"),
    ("port in name", {"hostname": "www.example.com:443"}, "hostname"),
    ("port 0", {"hostname": "a.example", "port": 0}, "port"),
    ("port 65536", {"hostname": "a.example", "port": 65536}, "port"),
    ("port as text", {"hostname": "a.example", "port": "443"}, "port"),
    ("port as fraction", {"hostname": "a.example", "port": 443.5}, "port"),
    ("unknown interval", {"hostname": "a.example", "interval": "2m"}, "interval"),
    ("unknown protocol", {"hostname": "a.example", "protocol": "gopher"}, "protocol"),
    ("metadata address", {"hostname": "169.254.169.254"}, "hostname"),
    ("unspecified address", {"hostname": "0.0.0.0"}, "hostname"),
    ("private address that is not allowed", {"hostname": "10.0.0.1"}, "hostname"),
    ("wrapped metadata address", {"hostname": "::ffff:169.254.169.254"}, "hostname"),
    ("our own listener", {"hostname": "127.0.0.1", "port": 6666}, "hostname"),
    ("denied address beside a name", {"hostname": "a.example", "address": "169.254.169.254"}, "address"),
    ("name as address", {"hostname": "a.example", "address": "b.example"}, "address"),
    ("address beside an address", {"hostname": "9.9.9.9", "address": "9.9.9.9"}, "address"),
    ("address as SNI", {"hostname": "a.example", "sni": "9.9.9.9"}, "sni"),
    ("unknown pool", {"hostname": "a.example", "pool": "elsewhere"}, "pool"),
    ("bad pool", {"hostname": "a.example", "pool": "No Pool"}, "pool"),
    ("tag with comma", {"hostname": "a.example", "tags": ["a,b"]}, "tags.0"),
    ("empty tag", {"hostname": "a.example", "tags": [" "]}, "tags.0"),
    ("too many tags", {"hostname": "a.example", "tags": [f"t{n}" for n in range(33)]}, "tags"),
    ("hidden character in owner", {"hostname": "a.example", "owner": "a\u202eb"}, "owner"),
    ("null in notes", {"hostname": "a.example", "notes": "a\x00b"}, "notes"),
    ("long notes", {"hostname": "a.example", "notes": "n" * 4001}, "notes"),
    ("script as runbook", {"hostname": "a.example", "runbook_url": "javascript:alert(1)"}, "runbook_url"),
    ("unknown field", {"hostname": "a.example", "colour": "red"}, "colour"),
    ("own version", {"hostname": "a.example", "version": 9}, "version"),
    ("other workspace", {"hostname": "a.example", "workspace_id": str(uuid4())}, "workspace_id"),
]


@pytest.mark.parametrize(("body", "field"), [case[1:] for case in BAD_HOSTS], ids=[case[0] for case in BAD_HOSTS])
def test_a_bad_host_is_refused_by_name_with_what_is_allowed(
    api: ApiServer, one: httpx.Client, body: dict[str, Any], field: str
) -> None:
    before = api.rows("select count(*) as n from config.hosts")
    errors = problem(one.post("hosts", json=body), 422)["errors"]
    (error,) = [error for error in errors if error["field"] == field]
    assert error["problem"] and error["allowed"]
    assert "\x07" not in error["problem"]
    assert api.rows("select count(*) as n from config.hosts") == before


def test_a_body_that_is_not_json_a_body_that_is_no_object_and_a_long_one(one: httpx.Client) -> None:
    assert problem(one.post("hosts", content=b"{", headers={"content-type": "application/json"}), 400)
    assert problem(one.post("hosts", json=["hostname"]), 422)
    assert problem(one.post("hosts", content=b'"' + b"x" * 300_000 + b'"'), 413)["type"].endswith("body-too-long")
    surrogate = b'{"hostname": "a.example", "owner": "\\ud800"}'
    assert problem(one.post("hosts", content=surrogate, headers={"content-type": "application/json"}), 422)
    nan = b'{"hostname": "a.example", "port": NaN}'
    assert problem(one.post("hosts", content=nan, headers={"content-type": "application/json"}), 422)


def test_a_body_without_length_is_counted_while_it_comes(one: httpx.Client) -> None:
    endless = (b"x" * 65536 for _ in range(8))
    assert problem(one.post("hosts", content=endless, headers={"content-type": "application/json"}), 413)


def test_the_same_target_again_is_a_conflict_that_names_the_first(one: httpx.Client, two: httpx.Client) -> None:
    first = add(one, port=993)
    again = problem(one.post("hosts", json={"hostname": first["hostname"], "port": 993}), 409)
    assert (again["host_id"], again["url"]) == (first["host_id"], first["href"])
    assert add(one, hostname=first["hostname"], port=993, sni="b.example")
    assert add(two, hostname=first["hostname"], port=993)["host_id"] != first["host_id"]


def test_of_many_adding_the_same_host_at_once_one_succeeds(api: ApiServer) -> None:
    body = {"hostname": name()}
    with api.one.client() as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("hosts", json=body), range(16)))
    added = [answer for answer in answers if answer.status_code == 201]
    assert len(added) == 1
    assert {answer.json().get("host_id") for answer in answers} == {added[0].json()["host_id"]}
    assert len(outbox(api, added[0].json()["host_id"])) == 1


def test_editing_into_another_host_is_a_conflict_and_changes_nothing(api: ApiServer, one: httpx.Client) -> None:
    first, second = add(one), add(one)
    refused = one.patch(f"hosts/{second['host_id']}", json={"hostname": first["hostname"]})
    assert problem(refused, 409)["host_id"] == first["host_id"]
    assert one.get(f"hosts/{second['host_id']}").json() == second
    assert len(outbox(api, second["host_id"])) == 1


def test_an_edit_makes_the_next_version_and_no_edit_makes_none(api: ApiServer, one: httpx.Client) -> None:
    host = add(one, tags=["a"], owner="x")
    changed = one.patch(f"hosts/{host['host_id']}", json={"tags": ["b"], "owner": None})
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["tags"], changed.json()["owner"], changed.json()["interval"]) == (["b"], None, "1h")
    assert one.patch(f"hosts/{host['host_id']}", json={"tags": ["b"]}).headers["etag"] == '"2"'
    assert one.patch(f"hosts/{host['host_id']}", json={}).headers["etag"] == '"2"'
    assert [json.loads(row["payload"])["version"] for row in outbox(api, host["host_id"])] == [1, 2]


@pytest.mark.parametrize(
    "body", [{"hostname": None}, {"port": None}, {"interval": None}, {"host_id": "x"}, {"port": 0}]
)
def test_a_bad_edit_is_refused(one: httpx.Client, body: dict[str, Any]) -> None:
    host = add(one)
    assert problem(one.patch(f"hosts/{host['host_id']}", json=body), 422)
    assert one.get(f"hosts/{host['host_id']}").json() == host


def test_if_match_guards_against_lost_updates(one: httpx.Client) -> None:
    host = add(one)
    path = f"hosts/{host['host_id']}"
    seen = {"If-Match": '"1"'}
    assert one.patch(path, json={"owner": "a"}, headers=seen).status_code == 200
    late = one.patch(path, json={"owner": "b"}, headers=seen)
    assert problem(late, 412)["version"] == 2 and late.headers["etag"] == '"2"'
    assert problem(one.delete(path, headers=seen), 412)
    assert problem(one.post(f"{path}/pause", headers=seen), 412)
    assert problem(one.patch(path, json={"owner": "b"}, headers={"If-Match": "2"}), 400)
    assert problem(one.patch(path, json={"owner": "b"}, headers={"If-Match": 'W/"2"'}), 412)
    assert one.patch(path, json={"owner": "b"}, headers={"If-Match": '"7", "2"'}).status_code == 200
    assert one.patch(path, json={"owner": "c"}, headers={"If-Match": "*"}).json()["owner"] == "c"


def test_pause_and_resume_are_versions_and_repeat_harmlessly(one: httpx.Client) -> None:
    path = f"hosts/{add(one)['host_id']}"
    for action, status, version in (
        ("pause", "paused", 2),
        ("pause", "paused", 2),
        ("resume", "active", 3),
        ("resume", "active", 3),
    ):
        host = one.post(f"{path}/{action}").json()
        assert (host["status"], host["version"]) == (status, version)


def test_scan_now_is_a_command_with_the_id_of_its_snapshot(api: ApiServer, one: httpx.Client) -> None:
    host = add(one)
    answer = one.post(f"hosts/{host['host_id']}/scan")
    assert answer.status_code == 202
    asked = answer.json()
    row = outbox(api, host["host_id"])[-1]
    command = decode_value(row["payload"].encode(), HostCommand)
    assert row["aggregatetype"] == "host-commands" and row["id"] == command.command_id
    assert (command.kind, command.host_version) == (HostCommandKind.SCAN, 1)
    assert UUID(asked["scan_id"]) == command_scan_id(command.command_id)
    one.post(f"hosts/{host['host_id']}/pause")
    assert problem(one.post(f"hosts/{host['host_id']}/scan"), 409)["type"].endswith("host-paused")


def test_a_deleted_host_is_gone_but_told_and_its_name_is_free(api: ApiServer, one: httpx.Client) -> None:
    host = add(one)
    path = f"hosts/{host['host_id']}"
    assert one.delete(path).status_code == 204
    for answer in (one.get(path), one.patch(path, json={}), one.delete(path), one.post(f"{path}/scan")):
        assert problem(answer, 404)
    last = decode_value(outbox(api, host["host_id"])[-1]["payload"].encode(), Host)
    assert (last.status.value, last.version) == ("deleted", 2)
    assert host["host_id"] not in {item["host_id"] for item in one.get("hosts?limit=200").json()["items"]}
    deleted = one.get("hosts?status=deleted&limit=200").json()["items"]
    assert host["host_id"] in {item["host_id"] for item in deleted}
    assert add(one, hostname=host["hostname"])["host_id"] != host["host_id"]


def test_no_such_id_no_such_address_no_such_method(api: ApiServer, one: httpx.Client) -> None:
    assert problem(one.get(f"hosts/{uuid4()}"), 404)
    assert problem(one.get("hosts/not-a-uuid"), 404)
    assert problem(one.get("nothing"), 404)
    refused = one.put("hosts", json={})
    assert problem(refused, 405)
    assert {part.strip() for part in refused.headers["allow"].split(",")} >= {"GET", "POST"}
    with httpx.Client(base_url=api.base_url, trust_env=False) as client:
        assert problem(client.get("/api/v1/nothing"), 404)
