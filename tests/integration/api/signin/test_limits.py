"""Guessing is slow: per account, per address, and however many try at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.api.signin import limits
from tests.fakes.api_server import ApiServer, api_settings, served
from tests.fakes.browser import Browser
from tests.integration.api.signin.conftest import PASSWORD, Person, add_person
from vigilo.adapters.postgres import connect

pytestmark = pytest.mark.postgres

WRONG = "a sentence that is wrong"


def fill(api: ApiServer, limit: limits.Limit, count: int, *, ago: timedelta = timedelta(minutes=1)) -> None:
    api.rows(
        "insert into config.sign_in_failures (bucket, at) select %s, %s from generate_series(1, %s) returning 1",
        limit.bucket,
        datetime.now(UTC) - ago,
        count,
    )


def test_after_ten_wrong_ones_even_the_right_one_must_wait(browser: Browser, person: Person) -> None:
    answers = [browser.sign_in(person.email, WRONG).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    refused = browser.sign_in(person.email.upper(), PASSWORD)
    assert refused.status_code == 429 and browser.session is None
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert "Try again in 15 minutes" in refused.text


def test_accounts_that_do_not_exist_are_limited_the_same(browser: Browser) -> None:
    answers = [browser.sign_in("nobody@example.org", WRONG).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


def test_success_clears_the_account_and_what_is_old_does_not_count(
    api: ApiServer, browser: Browser, person: Person
) -> None:
    limit = limits.account_limit(person.email)
    fill(api, limit, 9)
    fill(api, limit, 50, ago=timedelta(minutes=16))
    assert browser.sign_in(person.email, PASSWORD).status_code == 303
    assert api.rows("select 1 from config.sign_in_failures where bucket = %s", limit.bucket) == []
    assert api.rows("select 1 from config.sign_in_failures") == []  # the address's count was taken back


def test_another_account_from_the_same_address_is_limited_too(api: ApiServer, browser: Browser, person: Person) -> None:
    fill(api, limits.address_limit("127.0.0.1"), 50)
    assert browser.sign_in(person.email, PASSWORD).status_code == 429


def test_many_at_once_do_not_slip_past(api: ApiServer, person: Person, another: Callable[[], Browser]) -> None:
    fill(api, limits.account_limit(person.email), 7)
    browsers = [another() for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: one.sign_in(person.email, WRONG).status_code, browsers))
    assert sorted(answers) == [401] * 3 + [429] * 9


def test_guessing_the_present_password_in_an_open_session_is_limited(browser: Browser, person: Person) -> None:
    browser.sign_in(person.email, PASSWORD)
    new = {"password": "quite another sentence", "repeated": "quite another sentence"}
    answers = [browser.send("/account/password", "/account", present=WRONG, **new).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_behind_a_proxy_each_client_has_its_own_count(api: ApiServer, tmp_path: Path) -> None:
    person = add_person(api, at=api.one)
    fill(api, limits.address_limit("203.0.113.5"), 50)
    settings = api_settings(api.api_url, tmp_path, trusted_proxies=("127.0.0.0/8",))
    with served(settings) as url, Browser(url) as limited, Browser(url) as free:
        limited.client.headers["X-Forwarded-For"] = "198.51.100.7, 203.0.113.5"
        free.client.headers["X-Forwarded-For"] = "203.0.113.5, 198.51.100.7"
        assert limited.sign_in(person.email, PASSWORD).status_code == 429
        assert free.sign_in(person.email, PASSWORD).status_code == 303


async def test_a_refused_attempt_counts_nowhere(api: ApiServer) -> None:
    account, address = limits.account_limit("x@example.org"), limits.address_limit("192.0.2.1")
    at = datetime.now(UTC)
    async with await connect(api.api_url, name="tests") as connection:
        for _ in range(10):
            await limits.count_attempt(connection, (account, address), at=at)
        with pytest.raises(limits.TooManyAttempts) as refused:
            await limits.count_attempt(connection, (account, address), at=at)
    assert refused.value.retry_after == 900
    assert len(api.rows("select 1 from config.sign_in_failures where bucket = %s", address.bucket)) == 10
