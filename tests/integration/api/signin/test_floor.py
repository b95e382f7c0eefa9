"""The safety floor over a real socket: cookies here, tokens there, other sites nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.api_server import ApiServer, api_settings, served
from tests.fakes.browser import Browser, hidden_fields
from tests.integration.api.signin.conftest import PASSWORD, Person

pytestmark = pytest.mark.postgres

PAGES = ["/", "/sign-in", "/account", "/sign-in/link/" + "x" * 43, "/invitations/" + "x" * 43, "/sign-in/oidc"]
FORMS = ["/sign-in", "/sign-out", "/account/password", "/sign-in/link/" + "x" * 43, "/invitations/" + "x" * 43]
FORMS += ["/account/sessions/018f3e5c-0000-7000-8000-000000000001/end"]


@pytest.fixture(scope="module")
def tls_url(api: ApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same database behind something that ends TLS for https://vigilo.example."""
    settings = api_settings(
        api.api_url,
        tmp_path_factory.mktemp("tls"),
        public_url="https://vigilo.example",
    )
    with served(settings) as url:
        yield url


def as_tls(url: str, **options: Any) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Host": "vigilo.example"}, trust_env=False, timeout=20, **options)


@pytest.mark.parametrize("path", [*PAGES, "/assets/vigilo.css"])
def test_every_page_has_the_security_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["referrer-policy"] == "same-origin" and headers["x-content-type-options"] == "nosniff"
    assert "geolocation=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers
    assert path.startswith("/assets") or headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/sign-in", "/account"])
def test_refused_and_missing_pages_have_them_too(browser: Browser, path: str) -> None:
    answer = browser.client.post(path, data={})
    assert answer.status_code in {403, 405}
    assert answer.status_code == 405 or "default-src 'self'" in answer.headers["content-security-policy"]


def test_behind_tls_cookies_are_bound_to_the_host_and_hsts_is_told(tls_url: str) -> None:
    with as_tls(tls_url) as client:
        answer = client.get("/sign-in")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-vigilo-form=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


def test_behind_tls_a_person_signs_in_and_a_cookie_without_the_prefix_is_worth_nothing(
    tls_url: str, person: Person
) -> None:
    with as_tls(tls_url) as client:
        form = client.get("/sign-in")
        jar = {"Cookie": form.headers["set-cookie"].partition(";")[0]}
        fields = {**hidden_fields(form.text), "email": person.email, "password": PASSWORD}
        for origin, status in (("http://vigilo.example", 403), ("https://vigilo.example", 303)):
            answer = client.post("/sign-in", data=fields, headers={**jar, "Origin": origin})
            assert answer.status_code == status
        session = answer.headers.get_list("set-cookie")[0].partition(";")[0]
        assert session.startswith("__Host-vigilo-session=")
        assert client.get("/account", headers={"Cookie": session}).status_code == 200
        bare = session.removeprefix("__Host-")
        assert client.get("/account", headers={"Cookie": bare}).status_code == 303


def test_the_session_cookie_is_not_for_scripts_and_not_for_other_sites(browser: Browser, person: Person) -> None:
    cookies = browser.sign_in(person.email, PASSWORD).headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("vigilo-session="))
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in session.split(";")}


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_other_sites_are_refused_even_with_the_right_token(
    browser: Browser, person: Person, path: str
) -> None:
    browser.sign_in(person.email, PASSWORD)
    fields = hidden_fields(browser.get("/account").text)
    ours = browser.base_url
    for headers in (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": ours, "Sec-Fetch-Site": "cross-site"},
    ):
        answer = browser.client.post(path, data=fields, headers=headers)
        assert (answer.status_code, "did not come from a page of Vigilo" in answer.text) == (403, True), headers
    assert browser.get("/account").status_code == 200
    for headers in ({"Origin": ours}, {"Sec-Fetch-Site": "same-origin"}):
        answer = browser.client.post(path, data=fields, headers=headers)
        assert "did not come from a page of Vigilo" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_forms_without_the_token_of_this_very_session_are_refused(
    browser: Browser, person: Person, api: ApiServer, path: str
) -> None:
    with Browser(api.base_url) as stranger:
        foreign = hidden_fields(stranger.get("/sign-in").text)["csrf_token"]
    before_sign_in = hidden_fields(browser.get("/sign-in").text)["csrf_token"]
    browser.sign_in(person.email, PASSWORD)
    good = hidden_fields(browser.get("/account").text)["csrf_token"]
    for token in ({"other": "x"}, {"csrf_token": ""}, {"csrf_token": foreign}, {"csrf_token": before_sign_in}):
        answer = browser.post(path, token)
        assert (answer.status_code, "no longer valid" in answer.text) == (403, True)
    assert "no longer valid" not in browser.post(path, {"csrf_token": good}).text


def test_the_sign_in_form_needs_its_own_cookie(browser: Browser, person: Person) -> None:
    fields = hidden_fields(browser.get("/sign-in").text)
    browser.client.cookies.clear()
    answer = browser.post("/sign-in", {**fields, "email": person.email, "password": PASSWORD})
    assert answer.status_code == 403 and browser.session is None


def test_only_forms_are_taken(browser: Browser) -> None:
    told = {"Origin": browser.base_url}
    assert browser.client.post("/sign-in", json={"email": "a"}, headers=told).status_code == 415
    files = {"email": ("a.txt", b"a")}
    assert browser.client.post("/sign-in", files=files, headers=told).status_code == 415
    many = {f"field{number}": "x" for number in range(80)}
    assert browser.post("/sign-in", many).status_code == 400
    assert browser.post("/sign-in", {"email": "x" * 5000}).status_code == 422


def test_a_token_opens_no_page(api: ApiServer, browser: Browser) -> None:
    bearer = {"Authorization": f"Bearer {api.one.tokens['owner']}"}
    answer = browser.get("/account", headers=bearer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account")


def test_a_cookie_opens_nothing_of_the_api(api: ApiServer, browser: Browser, person: Person) -> None:
    browser.sign_in(person.email, PASSWORD)
    assert browser.get("/account").status_code == 200
    hosts = f"/api/v1/workspaces/{api.one.slug}/hosts"
    body = {"hostname": "www.example.org"}
    told = {"Origin": browser.base_url, "Sec-Fetch-Site": "same-origin"}
    assert browser.get(hosts).status_code == 401
    assert browser.client.post(hosts, json=body, headers=told).status_code == 401
    secret = {"Authorization": f"Bearer {browser.session}"}
    assert browser.get(hosts, headers=secret).status_code == 401
    assert (
        "set-cookie" not in browser.get(hosts, headers={"Authorization": f"Bearer {api.one.tokens['owner']}"}).headers
    )


def test_unknown_hosts_see_no_page(api: ApiServer) -> None:
    answer = httpx.get(f"{api.base_url}/sign-in", headers={"Host": "rebound.example"}, trust_env=False)
    assert answer.status_code == 421 and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/api/v1/docs", "/%0d%0aX: y"],
)
def test_nobody_is_sent_elsewhere_after_sign_in(browser: Browser, person: Person, target: str) -> None:
    answer = browser.send("/sign-in", next=target, email=person.email, password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_one_comes_back_to_the_page_one_wanted(browser: Browser, person: Person) -> None:
    wanted = browser.get("/account")
    form = browser.get(wanted.headers["location"])
    assert hidden_fields(form.text)["next"] == "/account"
    answer = browser.send("/sign-in", wanted.headers["location"], email=person.email, password=PASSWORD)
    assert answer.headers["location"] == "/account"


@pytest.mark.slow  # a connection is waited for ten seconds
def test_pages_say_so_when_the_database_is_away(tmp_path: Path) -> None:
    settings = api_settings("postgresql://vigilo_api@127.0.0.1:1/none", tmp_path)
    with served(settings) as url, Browser(url) as browser:
        browser.client.cookies.set("vigilo-session", "x" * 43)
        answer = browser.get("/account")
    assert answer.status_code == 503 and "The database does not answer" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
