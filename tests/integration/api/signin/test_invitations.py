"""Accepting an invitation by link, as somebody new and as somebody known."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import uuid4

import pytest

from services.api.sessions import secret_sha256
from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser
from tests.integration.api.signin.conftest import PASSWORD, Person

pytestmark = pytest.mark.postgres

NEW = {"name": "Grace", "password": "quite another sentence", "repeated": "quite another sentence"}


def invite(api: ApiServer, *, role: str = "approver", email: str | None = None) -> str:
    secret = secrets.token_urlsafe(32)
    api.rows(
        "insert into config.invitations (invitation_id, workspace_id, sha256, role, email, created_by, created_at, "
        "expires_at) values (%s, %s, %s, %s, %s, 'user:x', now(), now() + interval '1 day') returning 1",
        uuid4(),
        api.two.workspace_id,
        secret_sha256(secret),
        role,
        email,
    )
    return f"/invitations/{secret}"


def test_somebody_new_makes_an_account_and_joins(api: ApiServer, browser: Browser) -> None:
    link = invite(api)
    page = browser.get(link)
    assert "Join Two" in page.text and "approver" in page.text
    weak = browser.send(link, **{**NEW, "password": "short", "repeated": "short"}, email="grace@example.org")
    assert weak.status_code == 422 and "at least 12 characters" in weak.text
    answer = browser.send(link, **NEW, email="Grace@example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "<td>approver</td>" in browser.get("/account").text
    assert browser.get(link).status_code == 410
    (told,) = api.rows(
        "select actor, after, origin from config.audit_entries where action = 'invitation.accept' "
        "and workspace_id = %s order by sequence desc limit 1",
        api.two.workspace_id,
    )
    (user,) = api.rows("select user_id from config.users where email = 'grace@example.org'")
    assert told["actor"] == f"user:{user['user_id']}" and told["after"]["role"] == "approver"
    assert told["origin"] == "127.0.0.1"


def test_somebody_signed_in_joins_with_one_button(api: ApiServer, browser: Browser, person: Person) -> None:
    link = invite(api, role="viewer")
    sign_in = f"/sign-in?next={link}"
    assert sign_in in browser.get(link).text.replace("%2F", "/")
    answer = browser.send("/sign-in", sign_in, email=person.email, password=PASSWORD)
    assert answer.headers["location"] == link
    assert "Join as Ada" in browser.get(link).text
    assert browser.send(link).headers["location"] == "/account"
    page = browser.get("/account").text
    assert "<code>one</code>" in page and "<code>two</code>" in page


def test_who_is_a_member_already_keeps_his_role_and_the_invitation_stays_open(
    api: ApiServer, browser: Browser, person: Person, another: Callable[[], Browser]
) -> None:
    browser.sign_in(person.email, PASSWORD)
    assert browser.send(invite(api, role="viewer")).status_code == 303
    second = invite(api, role="admin")
    assert browser.send(second).status_code == 303
    (kept,) = api.rows(
        "select role from config.memberships where user_id = %s and workspace_id = %s",
        person.user_id,
        api.two.workspace_id,
    )
    assert kept["role"] == "viewer" and another().get(second).status_code == 200


def test_an_invitation_for_an_address_is_for_nobody_else(api: ApiServer, browser: Browser, person: Person) -> None:
    link = invite(api, email="hopper@example.org")
    browser.sign_in(person.email, PASSWORD)
    refused = browser.send(link)
    assert refused.status_code == 403 and "another e-mail address" in refused.text
    assert "<code>two</code>" not in browser.get("/account").text
    with Browser(api.base_url) as hopper:
        assert hopper.send(link, **NEW, email="somebody@else.example").status_code == 303
        assert "hopper@example.org" in hopper.get("/account").text


def test_an_account_is_not_taken_over_by_an_invitation(api: ApiServer, browser: Browser, person: Person) -> None:
    link = invite(api)
    answer = browser.send(link, **NEW, email=person.email)
    assert answer.status_code == 422 and "sign in first" in answer.text and browser.session is None
    assert browser.sign_in(person.email, PASSWORD).status_code == 303


@pytest.mark.parametrize("column", ["revoked_at = now()", "expires_at = now()"])
def test_what_was_taken_back_or_is_too_old_opens_nothing(api: ApiServer, browser: Browser, column: str) -> None:
    link = invite(api)
    browser.get(link)
    sha256 = secret_sha256(link.rpartition("/")[2])
    api.rows(f"update config.invitations set {column} where sha256 = %s returning 1", sha256)
    answer = browser.send(link, "/sign-in", **NEW, email="late@example.org")
    assert answer.status_code == 410 and browser.session is None
    assert api.rows("select 1 from config.users where email = 'late@example.org'") == []
