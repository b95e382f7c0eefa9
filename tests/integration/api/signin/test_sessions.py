"""Signing in with a password, staying signed in, and really being signed out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from services.api.auth import Caller, Means
from services.api.permissions import Permission, Role
from services.api.sessions import live_session, session_caller
from services.api.signin.passwords import hasher
from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser, hidden_fields
from tests.integration.api.signin.conftest import PASSWORD, Person, add_person, audited, told
from vigilo.adapters.postgres import connect

pytestmark = pytest.mark.postgres


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_the_right_password_opens_a_session_and_the_wrong_one_says_nothing_about_the_account(
    api: ApiServer, browser: Browser, person: Person
) -> None:
    wrong = browser.sign_in(person.email, "another sentence entirely")
    unknown = browser.sign_in("nobody@example.org", "another sentence entirely")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert told(api, person, 1) == [("user.sign-in-refused", {"reason": "password"})]
    assert wrong.text.replace(person.email, "nobody@example.org") == unknown.text
    answer = browser.sign_in(person.email.upper(), PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    account = browser.get("/account")
    assert account.status_code == 200 and person.email in account.text and "One" in account.text
    assert audited(api, person)[1:] == [("user.sign-in", {"by": "password"})]


def test_only_the_hash_of_a_session_is_kept_and_each_sign_in_makes_a_new_one(
    api: ApiServer, browser: Browser, person: Person
) -> None:
    browser.sign_in(person.email, PASSWORD)
    first = browser.session
    assert first is not None
    kept = api.rows("select sha256 from config.sessions where user_id = %s", person.user_id)
    assert [bytes(row["sha256"]) for row in kept] == [hashlib.sha256(first.encode()).digest()]
    page = browser.get("/account").text
    form = {**hidden_fields(page), "email": person.email, "password": PASSWORD, "next": "/"}
    assert browser.post("/sign-in", form).status_code == 303
    assert browser.session not in {None, first}
    assert httpx.get(f"{api.base_url}/account", cookies={"vigilo-session": first}).status_code == 303


def test_a_planted_session_cookie_is_not_taken_over_by_who_signs_in(browser: Browser, person: Person) -> None:
    planted = "A" * 43
    browser.client.cookies.set("vigilo-session", planted)
    browser.sign_in(person.email, PASSWORD)
    assert httpx.get(f"{browser.base_url}/account", cookies={"vigilo-session": planted}).status_code == 303


def test_signing_out_ends_the_session_on_the_server(api: ApiServer, browser: Browser, person: Person) -> None:
    browser.sign_in(person.email, PASSWORD)
    secret = browser.session
    assert secret is not None
    answer = browser.send("/sign-out", "/account")
    assert answer.headers["location"] == "/sign-in?out=1" and browser.session is None
    assert httpx.get(f"{api.base_url}/account", cookies={"vigilo-session": secret}).status_code == 303
    assert audited(api, person)[-1][0] == "user.sign-out"


@pytest.mark.parametrize(
    "end",
    [
        "update config.users set disabled_at = now() where user_id = %s returning 1",
        "update config.sessions set last_seen_at = now() - interval '13 hours' where user_id = %s returning 1",
        "update config.sessions set expires_at = now() where user_id = %s returning 1",
    ],
    ids=["disabled", "idle", "expired"],
)
def test_a_session_ends_when_it_should_and_asking_does_not_wake_it(
    api: ApiServer, browser: Browser, person: Person, end: str
) -> None:
    browser.sign_in(person.email, PASSWORD)
    assert signed_in(browser)
    assert len(api.rows(end, person.user_id)) == 1
    assert [signed_in(browser) for _ in range(3)] == [False, False, False]


def test_using_a_session_keeps_it_from_idling_away(api: ApiServer, browser: Browser, person: Person) -> None:
    browser.sign_in(person.email, PASSWORD)
    api.rows(
        "update config.sessions set last_seen_at = now() - interval '11 hours' where user_id = %s returning 1",
        person.user_id,
    )
    assert signed_in(browser)
    seen = api.rows(
        "select last_seen_at > now() - interval '1 minute' as now from config.sessions where user_id = %s",
        person.user_id,
    )
    assert [row["now"] for row in seen] == [True]


def test_a_disabled_account_does_not_sign_in(api: ApiServer, browser: Browser, person: Person) -> None:
    api.rows("update config.users set disabled_at = now() where user_id = %s returning 1", person.user_id)
    assert browser.sign_in(person.email, PASSWORD).status_code == 401 and browser.session is None
    assert told(api, person, 1) == [("user.sign-in-refused", {"reason": "disabled"})]


def test_removal_from_a_workspace_is_seen_at_once(api: ApiServer, browser: Browser, person: Person) -> None:
    browser.sign_in(person.email, PASSWORD)
    assert "<code>one</code>" in browser.get("/account").text
    api.rows("update config.memberships set role = 'admin' where user_id = %s returning 1", person.user_id)
    assert "<td>admin</td>" in browser.get("/account").text
    api.rows("delete from config.memberships where user_id = %s returning 1", person.user_id)
    assert "<code>one</code>" not in browser.get("/account").text


def test_one_can_see_and_end_ones_own_sessions_and_nobody_elses(
    api: ApiServer, browser: Browser, person: Person, another: Callable[[], Browser]
) -> None:
    phone, stranger = another(), another()
    other = add_person(api, at=api.one)
    for who, email in ((browser, person.email), (phone, person.email), (stranger, other.email)):
        who.sign_in(email, PASSWORD)
    ids = {
        str(row["user_id"]): str(row["session_id"])
        for row in api.rows("select user_id, session_id from config.sessions order by created_at")
    }
    page = browser.get("/account").text
    assert page.count("/end") == 1 and ids[str(other.user_id)] not in page
    refused = browser.send(f"/account/sessions/{ids[str(other.user_id)]}/end", "/account")
    assert refused.status_code == 404 and signed_in(stranger)
    ended = browser.send(f"/account/sessions/{ids[str(person.user_id)]}/end", "/account")
    assert ended.status_code == 303
    assert (signed_in(browser), signed_in(phone)) == (True, False)


def test_a_new_password_ends_every_other_session(
    browser: Browser, person: Person, another: Callable[[], Browser]
) -> None:
    phone = another()
    for one in (browser, phone):
        one.sign_in(person.email, PASSWORD)
    before = browser.session
    new = {"password": "quite another sentence", "repeated": "quite another sentence"}
    refused = browser.send("/account/password", "/account", present="not the present one", **new)
    assert refused.status_code == 422 and "not your present password" in refused.text
    common = browser.send("/account/password", "/account", present=PASSWORD, password="password1234", repeated="")
    assert common.status_code == 422 and "anybody tries" in common.text
    assert browser.send("/account/password", "/account", present=PASSWORD, **new).status_code == 303
    assert browser.session != before
    assert (signed_in(browser), signed_in(phone)) == (True, False)
    assert phone.sign_in(person.email, PASSWORD).status_code == 401
    assert phone.sign_in(person.email, new["password"]).status_code == 303


def test_a_password_kept_with_old_parameters_is_kept_anew_at_sign_in(api: ApiServer, browser: Browser) -> None:
    old = hasher(memory_kib=1024, passes=1).hash(PASSWORD)
    person = add_person(api, kept=old, at=api.one)
    assert browser.sign_in(person.email, PASSWORD).status_code == 303
    (row,) = api.rows("select password_hash from config.users where user_id = %s", person.user_id)
    assert row["password_hash"] != old and not hasher().check_needs_rehash(row["password_hash"])
    assert hasher().verify(row["password_hash"], PASSWORD)
    assert signed_in(browser)


async def test_a_session_is_worth_what_its_user_is_at_this_moment(
    api: ApiServer, browser: Browser, person: Person
) -> None:
    await asyncio.to_thread(browser.sign_in, person.email, PASSWORD)

    async def caller(workspace: str) -> Caller | None:
        async with await connect(api.api_url, name="tests") as connection:
            session = await live_session(connection, browser.session, idle=timedelta(hours=1))
            assert session is not None
            return await session_caller(connection, session, workspace, origin="192.0.2.1")

    found = await caller("one")
    assert found is not None and found == await caller(str(api.one.workspace_id).upper())
    assert (found.role, found.means, found.name) == (Role.MEMBER, Means.SESSION, f"user:{person.user_id}")
    assert (found.workspace_id, found.origin) == (api.one.workspace_id, "192.0.2.1")
    assert await caller("two") is None
    api.rows("update config.memberships set role = 'viewer' where user_id = %s returning 1", person.user_id)
    found = await caller("one")
    assert found is not None and not found.may(Permission.HOST_ADD)
    api.rows("delete from config.memberships where user_id = %s returning 1", person.user_id)
    assert await caller("one") is None


def test_sessions_and_links_long_past_are_forgotten_at_sign_in(
    api: ApiServer, browser: Browser, person: Person, another: Callable[[], Browser]
) -> None:
    for one in (another(), another(), browser):
        one.sign_in(person.email, PASSWORD)
    aged = "update config.sessions set ended_at = now() - interval '%s days' where session_id = (select session_id "
    aged += "from config.sessions where user_id = %%s and ended_at is null order by created_at limit 1) returning 1"
    for days in (31, 29):
        assert len(api.rows(aged % days, person.user_id)) == 1
    api.rows(
        "insert into config.sign_in_links (sha256, user_id, expires_at) "
        "values (sha256('x'), %s, now() - interval '2 days') returning 1",
        person.user_id,
    )
    another().sign_in(person.email, PASSWORD)
    assert len(api.rows("select 1 from config.sessions where user_id = %s", person.user_id)) == 3
    assert api.rows("select 1 from config.sign_in_links where user_id = %s", person.user_id) == []
