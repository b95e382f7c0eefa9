"""One-time links: the first owner's, and the way back in for who lost his password."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.api.bootstrap import bootstrap
from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser
from tests.integration.api.signin.conftest import PASSWORD, Person, audited

pytestmark = pytest.mark.postgres

NEW = {"name": "Ada Lovelace", "password": "quite another sentence", "repeated": "quite another sentence"}


def run(api: ApiServer, *arguments: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VIGILO_DATABASE_URL": url or api.admin_url, "VIGILO_PUBLIC_URL": api.base_url}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def reset(api: ApiServer, email: str, *options: str) -> str:
    done = run(api, "-m", "vigilo_cli.main", "user", "reset", email, *options)
    assert done.returncode == 0, done.stderr
    (link,) = done.stdout.splitlines()
    assert link.startswith(f"{api.base_url}/sign-in/link/")
    return link.removeprefix(api.base_url)


def test_the_first_owner_comes_in_by_the_link_and_by_his_password_ever_after(api: ApiServer, browser: Browser) -> None:
    asyncio.run(bootstrap(api.api_url, home=None))
    asyncio.run(bootstrap(api.api_url, home=None))
    assert len(api.rows("select 1 from config.users where email = 'owner@localhost'")) == 1
    done = run(api, "-m", "services.api.signin.link", url=api.api_url)
    link = done.stdout.strip().removeprefix(api.base_url)
    page = browser.get(link)
    assert page.status_code == 200 and "Set up your account" in page.text and 'value="owner@localhost"' in page.text
    wrong = browser.send(link, **{**NEW, "email": "ada@example.org", "repeated": "another"})
    assert wrong.status_code == 422 and "not the same password" in wrong.text and 'value="Ada Lovelace"' in wrong.text
    answer = browser.send(link, **NEW, email="Ada@Example.org")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    account = browser.get("/account").text
    assert "Ada Lovelace" in account and "ada@example.org" in account and "<td>owner</td>" in account
    with Browser(api.base_url) as later:
        assert later.get(link).status_code == 410
        assert later.sign_in("ada@example.org", NEW["password"]).status_code == 303
    again = run(api, "-m", "services.api.signin.link").stdout.strip().removeprefix(api.base_url)
    with Browser(api.base_url) as later:
        page = later.get(again)
        assert "Sign in as Ada Lovelace" in page.text
        assert later.send(again, name="Ada Lovelace", email="evil@example.org").status_code == 303
        assert "ada@example.org" in later.get("/account").text
    with Browser(api.base_url) as later:
        assert later.sign_in("ada@example.org", NEW["password"]).status_code == 303


def test_looking_at_a_link_does_not_use_it_and_sending_uses_it_once(
    api: ApiServer, person: Person, another: Callable[[], Browser]
) -> None:
    link = reset(api, person.email)
    for _ in range(3):
        assert another().get(link).status_code == 200
    browsers = [another() for _ in range(4)]
    for browser in browsers:
        browser.get(link)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: one.send(link, **NEW, email=person.email).status_code, browsers))
    assert sorted(answers) == [303, 410, 410, 410]
    assert len(api.rows("select 1 from config.sessions where user_id = %s and ended_at is null", person.user_id)) == 1


def test_a_reset_takes_the_password_and_ends_sessions_and_older_links(
    api: ApiServer, browser: Browser, person: Person
) -> None:
    browser.sign_in(person.email, PASSWORD)
    older = reset(api, person.email)
    link = reset(api, person.email.upper())
    assert browser.get("/account").status_code == 303
    assert browser.sign_in(person.email, PASSWORD).status_code == 401
    assert (browser.get(older).status_code, browser.get(link).status_code) == (410, 200)
    assert browser.send(link, **NEW, email=person.email).status_code == 303
    with Browser(api.base_url) as later:
        assert later.sign_in(person.email, NEW["password"]).status_code == 303
    told = [action for action, _ in audited(api, person)]
    assert told.count("user.reset") == 2 and "user.set-password" in told
    assert not [row for row in api.rows("select after from config.audit_entries") if "sentence" in str(row["after"])]


def test_a_link_ends_after_ten_minutes(api: ApiServer, browser: Browser, person: Person) -> None:
    link = reset(api, person.email)
    (left,) = api.rows(
        "select extract(epoch from expires_at - now()) as seconds from config.sign_in_links where user_id = %s",
        person.user_id,
    )
    assert 500 < left["seconds"] <= 600
    api.rows("update config.sign_in_links set expires_at = now() where user_id = %s returning 1", person.user_id)
    assert browser.get(link).status_code == 410


@pytest.mark.parametrize("secret", ["x", "x" * 43, "../account", "%00"])
def test_a_link_nobody_made_is_gone(browser: Browser, secret: str) -> None:
    assert browser.get(f"/sign-in/link/{secret}").status_code in {404, 410, 303}
    assert browser.session is None


def test_an_address_that_is_taken_does_not_use_the_link_up(api: ApiServer, browser: Browser, person: Person) -> None:
    link = reset(api, "second@example.org", "--owner-of", "one")
    refused = browser.send(link, **NEW, email=person.email)
    assert refused.status_code == 422 and "an account with this address already" in refused.text
    assert browser.send(link, **NEW, email="second@example.org").status_code == 303
    assert "<td>owner</td>" in browser.get("/account").text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("reset", "nobody@example.org"), "no local account has the address nobody@example.org"),
        (("reset", "nobody@example.org", "--owner-of", "nowhere"), "there is no workspace nowhere"),
    ],
)
def test_what_cannot_be_reset_is_said(api: ApiServer, arguments: tuple[str, ...], complaint: str) -> None:
    done = run(api, "-m", "vigilo_cli.main", "user", *arguments)
    assert (done.returncode, done.stdout) == (1, "") and complaint in done.stderr
    assert api.rows("select 1 from config.users where email = 'nobody@example.org'") == []


def test_everybody_is_listed(api: ApiServer, person: Person) -> None:
    done = run(api, "-m", "vigilo_cli.main", "user", "list")
    assert done.returncode == 0, done.stderr
    assert f"{person.email}  Ada  password  one:member" in done.stdout.splitlines()
    assert "$argon2" not in done.stdout
