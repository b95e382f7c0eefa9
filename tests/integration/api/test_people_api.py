"""Members and invitations: roles act at once, the last owner stays, a link works once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.fakes.api_server import ApiServer
from tests.fakes.people import Person, add_person, remove_people

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def nobody(api: ApiServer) -> Iterator[None]:
    remove_people(api)
    yield


def role_of(api: ApiServer, person: Person) -> str | None:
    rows = api.rows(
        "select role from config.memberships where user_id = %s and workspace_id = %s",
        person.user_id,
        person.workspace.workspace_id,
    )
    return rows[0]["role"] if rows else None


def test_members_are_listed_with_names_and_without_secrets(api: ApiServer, one: httpx.Client) -> None:
    people = [add_person(api, api.one, role) for role in ("owner", "viewer", "member")]
    first = one.get("members?limit=2").json()
    rest = one.get("members", params={"limit": 2, "cursor": first["next"]}).json()
    listed = [*first["items"], *rest["items"]]
    assert [entry["user_id"] for entry in listed] == sorted(str(person.user_id) for person in people)
    assert "password" not in str(listed)
    assert one.get(f"members/{people[1].user_id}").json()["role"] == "viewer"


def test_people_of_another_workspace_are_not_seen(api: ApiServer, one: httpx.Client) -> None:
    stranger = add_person(api, api.two, "owner")
    assert one.get("members").json()["items"] == []
    assert one.get(f"members/{stranger.user_id}").status_code == 404
    assert one.patch(f"members/{stranger.user_id}", json={"role": "viewer"}).status_code == 404
    assert one.delete(f"members/{stranger.user_id}").status_code == 404
    assert role_of(api, stranger) == "owner"


def test_a_new_role_acts_on_the_next_request(api: ApiServer, one: httpx.Client) -> None:
    person = add_person(api, api.one, "admin")
    channel = {"kind": "webhook", "name": "c", "url": "https://c.example/"}
    with person.client() as client:
        assert client.post("channels", json=channel).status_code == 201
        assert one.patch(f"members/{person.user_id}", json={"role": "viewer"}).status_code == 200
        assert client.post("channels", json=channel).status_code == 403
        assert client.get("channels").status_code == 200
        # Never above what the token was made with, whatever its user becomes.
        assert one.patch(f"members/{person.user_id}", json={"role": "owner"}).status_code == 200
        assert client.get(f"{api.base_url}/api/v1/workspaces/one").json()["role"] == "admin"


def test_who_is_removed_has_nothing_left_here(api: ApiServer, one: httpx.Client) -> None:
    add_person(api, api.one, "owner")
    person = add_person(api, api.one, "admin")
    with person.client() as client:
        invited = client.post("invitations", json={"role": "member"}).json()
        feed = client.post("tokens", json={"kind": "feed", "name": "calendar"}).json()["token"]
        api.rows(
            "insert into config.sessions (session_id, sha256, user_id, created_at, last_seen_at, expires_at) "
            "values (%s, sha256('s'), %s, now(), now(), now() + interval '1 day') returning 1",
            uuid4(),
            person.user_id,
        )
        assert one.delete(f"members/{person.user_id}").status_code == 204
        assert client.get("hosts").status_code == 401
    assert api.rows("select 1 from config.tokens where user_id = %s and revoked_at is null", person.user_id) == []
    assert api.rows("select 1 from config.sessions where user_id = %s and ended_at is null", person.user_id) == []
    states = {entry["invitation_id"]: entry["state"] for entry in one.get("invitations?limit=200").json()["items"]}
    assert states[invited["invitation_id"]] == "revoked"
    assert one.get("quota", headers={"Authorization": f"Bearer {feed}"}).status_code == 401
    # Being invited again does not wake the old token.
    with psycopg.connect(api.admin_url, autocommit=True) as connection:
        connection.execute(
            "insert into config.memberships (workspace_id, user_id, role, source, created_at, updated_at) "
            "values (%s, %s, 'owner', 'local', now(), now())",
            (api.one.workspace_id, person.user_id),
        )
    with person.client() as client:
        assert client.get("hosts").status_code == 401


def test_a_disabled_user_gets_in_nowhere(api: ApiServer) -> None:
    person = add_person(api, api.one, "owner")
    api.rows("update config.users set disabled_at = now() where user_id = %s returning 1", person.user_id)
    with person.client() as client:
        assert client.get("hosts").status_code == 401


def test_nobody_reaches_above_himself(api: ApiServer) -> None:
    owner, admin = add_person(api, api.one, "owner"), add_person(api, api.one, "admin")
    member = add_person(api, api.one, "member")
    with admin.client() as client:
        for answer in (
            client.patch(f"members/{owner.user_id}", json={"role": "viewer"}),
            client.delete(f"members/{owner.user_id}"),
            client.patch(f"members/{member.user_id}", json={"role": "owner"}),
            client.patch(f"members/{admin.user_id}", json={"role": "owner"}),
            client.post("invitations", json={"role": "owner"}),
        ):
            assert (answer.status_code, answer.json()["required_role"]) == (403, "owner")
        assert client.patch(f"members/{member.user_id}", json={"role": "admin"}).status_code == 200
    assert (role_of(api, owner), role_of(api, admin), role_of(api, member)) == ("owner", "admin", "admin")


def test_the_last_owner_stays(api: ApiServer, one: httpx.Client) -> None:
    owner = add_person(api, api.one, "owner")
    for answer in (
        one.patch(f"members/{owner.user_id}", json={"role": "admin"}),
        one.delete(f"members/{owner.user_id}"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:vigilo:problem:last-owner")
    second = add_person(api, api.one, "owner")
    assert one.delete(f"members/{owner.user_id}").status_code == 204
    assert one.delete(f"members/{second.user_id}").status_code == 409


@pytest.mark.parametrize("how", ["demote", "remove"])
def test_owners_who_all_go_at_once_leave_one(api: ApiServer, how: str) -> None:
    owners = [add_person(api, api.one, "owner") for _ in range(12)]

    def go(person: Person) -> int:
        with api.one.client() as client:
            path = f"members/{person.user_id}"
            return (client.patch(path, json={"role": "viewer"}) if how == "demote" else client.delete(path)).status_code

    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(go, owners))
    assert answers == {(200 if how == "demote" else 204): 11, 409: 1}
    assert [role_of(api, person) for person in owners].count("owner") == 1


def test_in_sql_too_the_last_owner_stays(api: ApiServer) -> None:
    owner = add_person(api, api.one, "owner")
    with psycopg.connect(api.api_url, autocommit=True) as connection:
        connection.execute("select set_config('vigilo.workspace', %s, false)", (str(api.one.workspace_id),))
        for statement in ("delete from config.memberships", "update config.memberships set role = 'member'"):
            with pytest.raises(psycopg.Error, match="last owner"):
                connection.execute(statement)
    assert role_of(api, owner) == "owner"


def take(api: ApiServer, person: Person, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {person.token}"}
    return httpx.post(f"{api.base_url}/api/v1/invitations/accept", json={"token": token}, headers=headers)


def test_an_invitation_works_once_and_is_shown_once(api: ApiServer, one: httpx.Client) -> None:
    guest, other = add_person(api, api.two, "viewer"), add_person(api, api.two, "viewer")
    made = one.post("invitations", json={"role": "approver"}).json()
    assert made["path"].endswith(made["token"])
    assert made["token"] not in one.get("invitations?limit=200").text
    answer = take(api, guest, made["token"])
    assert (answer.status_code, answer.json()["slug"], answer.json()["role"]) == (200, "one", "approver")
    assert one.get(f"members/{guest.user_id}").json()["role"] == "approver"
    assert take(api, other, made["token"]).status_code == 404
    with guest.client() as client:
        places = client.get(f"{api.base_url}/api/v1/workspaces").json()["items"]
    assert [(place["slug"], place["role"]) for place in places] == [("one", "approver"), ("two", "viewer")]
    assert one.delete(f"invitations/{made['invitation_id']}").status_code == 409


def test_one_link_taken_by_many_at_once_lets_one_in(api: ApiServer, one: httpx.Client) -> None:
    guests = [add_person(api, api.two, "viewer") for _ in range(8)]
    token = one.post("invitations", json={"role": "admin"}).json()["token"]
    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda guest: take(api, guest, token).status_code, guests))
    assert answers == {200: 1, 404: 7}
    assert len(one.get("members").json()["items"]) == 1


def test_revoked_expired_and_unknown_links_are_not_told_apart(api: ApiServer, one: httpx.Client) -> None:
    guest = add_person(api, api.two, "viewer")
    revoked, expired = (one.post("invitations", json={"role": "member"}).json() for _ in range(2))
    assert one.delete(f"invitations/{revoked['invitation_id']}").status_code == 204
    assert one.delete(f"invitations/{revoked['invitation_id']}").status_code == 204
    api.rows(
        "update config.invitations set expires_at = now() where invitation_id = %s returning 1",
        expired["invitation_id"],
    )
    answers = [take(api, guest, token) for token in (revoked["token"], expired["token"], "vgi_" + "a" * 43)]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_an_invitation_for_an_address_opens_for_it_alone(api: ApiServer, one: httpx.Client) -> None:
    ann, bob = (add_person(api, api.two, "viewer", email=f"{name}-{uuid4()}@people.example") for name in "ab")
    token = one.post("invitations", json={"role": "member", "email": ann.email.upper()}).json()["token"]
    assert take(api, bob, token).status_code == 403
    assert take(api, ann, token).status_code == 200


def test_a_member_keeps_the_role_he_has_and_the_link_stays_open(api: ApiServer, one: httpx.Client) -> None:
    person = add_person(api, api.one, "viewer")
    token = one.post("invitations", json={"role": "owner"}).json()["token"]
    assert take(api, person, token).status_code == 409
    assert role_of(api, person) == "viewer"
    assert take(api, add_person(api, api.two, "viewer"), token).status_code == 200


def test_a_machine_cannot_join(api: ApiServer, one: httpx.Client) -> None:
    token = one.post("invitations", json={"role": "member"}).json()["token"]
    answer = one.post(f"{api.base_url}/api/v1/invitations/accept", json={"token": token})
    assert answer.status_code == 403


def test_demoted_inviters_leave_no_links_behind(api: ApiServer, one: httpx.Client) -> None:
    add_person(api, api.one, "owner")
    person = add_person(api, api.one, "owner")
    with person.client() as client:
        to_owner, to_member = (client.post("invitations", json={"role": role}).json() for role in ("owner", "member"))
    one.patch(f"members/{person.user_id}", json={"role": "admin"})
    states = {entry["invitation_id"]: entry["state"] for entry in one.get("invitations?limit=200").json()["items"]}
    assert (states[to_owner["invitation_id"]], states[to_member["invitation_id"]]) == ("revoked", "open")
    one.patch(f"members/{person.user_id}", json={"role": "member"})
    states = {entry["invitation_id"]: entry["state"] for entry in one.get("invitations?limit=200").json()["items"]}
    assert states[to_member["invitation_id"]] == "revoked"
