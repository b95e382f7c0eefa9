"""Sign-in through a real issuer on loopback, and everything it must not be believed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.fakes.api_server import ApiServer, api_settings, served
from tests.fakes.browser import Browser
from tests.fakes.oidc_issuer import Claims, OidcIssuer, issuing, new_ec_key, new_rsa_key

pytestmark = pytest.mark.postgres

GROUP_MAP = ("ops=one:admin", "dev=one:member", "dev=two:viewer", "cn=all,ou=x=one:viewer")


@cache
def first_key() -> RSAKey:
    return new_rsa_key("first")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def running_issuer() -> Iterator[OidcIssuer]:
    """One issuer on one port for all tests of this module."""
    issuer, loop, stop, ready = OidcIssuer(), asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        async with issuing(issuer):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield issuer
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def issuer(running_issuer: OidcIssuer) -> OidcIssuer:
    """The issuer, honest again."""
    fresh = OidcIssuer(url=running_issuer.url, signing=first_key())
    for name in fresh.__dataclass_fields__:
        setattr(running_issuer, name, getattr(fresh, name))
    return running_issuer


def with_issuer(api: ApiServer, issuer: OidcIssuer, **changes: Any) -> Any:
    port = free_port()
    values: dict[str, Any] = {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": issuer.url,
        "oidc_client_id": issuer.client_id,
        "oidc_client_secret": issuer.client_secret,
        "oidc_group_map": GROUP_MAP,
        "oidc_allow": ("127.0.0.1/32:*",),
        "oidc_name": "the directory",
    }
    return served(api_settings(api.api_url, api.settings.home, **{**values, **changes}))


@pytest.fixture
def site(api: ApiServer, issuer: OidcIssuer) -> Iterator[str]:
    """The API with that issuer; nothing is remembered from the test before."""
    with with_issuer(api, issuer) as url:
        yield url


@pytest.fixture
def browser(site: str) -> Iterator[Browser]:
    with Browser(site) as made:
        yield made


def go_round(browser: Browser, *, alter: Callable[[str], str] = str) -> httpx.Response:
    """Off to the issuer and back; returns what our callback answers."""
    away = browser.get("/sign-in/oidc?next=/account")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"], trust_env=False)
    assert back.status_code == 302, back.text
    return browser.get(alter(back.headers["location"]))


def users(api: ApiServer, issuer: OidcIssuer, subject: str) -> list[Any]:
    return api.rows(
        "select user_id, email, name from config.users where oidc_issuer = %s and oidc_subject = %s",
        issuer.url,
        subject,
    )


def roles(api: ApiServer, subject: str) -> dict[str, tuple[str, str]]:
    rows = api.rows(
        "select w.slug, m.role, m.source from config.memberships m join config.workspaces w using (workspace_id) "
        "join config.users u using (user_id) where u.oidc_subject = %s",
        subject,
    )
    return {row["slug"]: (row["role"], row["source"]) for row in rows}


def test_code_flow_with_pkce_state_and_nonce_signs_in(api: ApiServer, issuer: OidcIssuer, browser: Browser) -> None:
    issuer.person = {"sub": "round-1", "name": "Grace", "email": "Grace@Example.org", "email_verified": True}
    assert "Sign in with the directory" in browser.get("/sign-in").text
    answer = go_round(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert browser.session is not None and "vigilo-oidc" not in browser.client.cookies
    (asked,) = issuer.authorized
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert len({asked[name] for name in ("state", "nonce", "code_challenge")}) == 3
    assert asked["scope"] == "openid email profile"
    page = browser.get("/account").text
    assert "Grace" in page and "grace@example.org" in page and "You sign in with the directory" in page
    assert "Change your password" not in page
    assert len(users(api, issuer, "round-1")) == 1


def test_es256_is_taken(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.signing, issuer.algorithm = new_ec_key("second"), "ES256"
    issuer.person = {"sub": "es-1"}
    assert go_round(browser).status_code == 303
    assert len(users(api, issuer, "es-1")) == 1


def test_a_key_that_is_new_since_the_last_look_is_fetched_and_one_that_is_gone_no_longer_counts(
    issuer: OidcIssuer, browser: Browser, api: ApiServer
) -> None:
    issuer.person = {"sub": "rotated"}
    assert go_round(browser).status_code == 303
    issuer.signing = new_rsa_key("second")
    assert go_round(browser).status_code == 303
    assert issuer.asked.count("/jwks") == 2
    browser.client.cookies.clear()
    issuer.signing, issuer.published = first_key(), [issuer.signing]
    assert go_round(browser).status_code == 403 and browser.session is None


LIES: dict[str, Callable[[Claims], Claims]] = {
    "wrong nonce": lambda claims: {**claims, "nonce": "of another sign-in"},
    "no nonce": lambda claims: {key: claims[key] for key in claims if key != "nonce"},
    "wrong aud": lambda claims: {**claims, "aud": "another client"},
    "aud without us": lambda claims: {**claims, "aud": ["another", "third"]},
    "many aud, other azp": lambda claims: {**claims, "aud": [claims["aud"], "another"], "azp": "another"},
    "wrong issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "expired": lambda claims: {**claims, "iat": claims["iat"] - 7200, "exp": claims["iat"] - 3600},
    "no exp": lambda claims: {key: claims[key] for key in claims if key != "exp"},
    "from the future": lambda claims: {**claims, "iat": claims["iat"] + 7200, "exp": claims["exp"] + 7200},
    "not yet": lambda claims: {**claims, "nbf": claims["iat"] + 7200},
    "no sub": lambda claims: {key: claims[key] for key in claims if key != "sub"},
    "sub is no text": lambda claims: {**claims, "sub": {"admin": True}},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_token_must_not_say(issuer: OidcIssuer, browser: Browser, api: ApiServer, lie: str) -> None:
    issuer.person = {"sub": f"liar-{lie}"}
    issuer.lie = LIES[lie]
    refused(api, issuer, browser, go_round(browser))
    issuer.lie = lambda claims: claims
    assert go_round(browser).status_code == 303, "the honest token of the same issuer is taken"


def refused(api: ApiServer, issuer: OidcIssuer, browser: Browser, answer: httpx.Response) -> None:
    assert answer.status_code == 403, answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert browser.session is None and users(api, issuer, str(issuer.person.get("sub"))) == []


def test_an_unsigned_token_is_nothing(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person, issuer.forge = {"sub": "none-1"}, issuer.unsigned
    issuer.metadata = {"id_token_signing_alg_values_supported": ["none", "RS256"]}
    refused(api, issuer, browser, go_round(browser))


def test_our_own_secret_is_no_signing_key(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person, issuer.forge = {"sub": "hs-1"}, issuer.signed_with_secret
    issuer.metadata = {"id_token_signing_alg_values_supported": ["HS256", "RS256"]}
    refused(api, issuer, browser, go_round(browser))


@pytest.mark.parametrize("kid", ["first", "stranger"])
def test_another_key_is_nothing(issuer: OidcIssuer, browser: Browser, api: ApiServer, kid: str) -> None:
    honest = issuer.signing
    issuer.person, issuer.published = {"sub": f"key-{kid}"}, [honest]
    issuer.signing = new_rsa_key(kid)
    refused(api, issuer, browser, go_round(browser))


def test_a_changed_token_is_nothing(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    def swap(claims: Claims) -> str:
        head, _, tail = issuer.signed(claims).split(".")
        _, body, _ = issuer.signed({**claims, "sub": "somebody else"}).split(".")
        return f"{head}.{body}.{tail}"

    issuer.person, issuer.forge = {"sub": "swap-1"}, swap
    refused(api, issuer, browser, go_round(browser))


@pytest.mark.parametrize(
    "alter",
    [
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("state=", "other="),
        lambda url: url.replace("code=", "other="),
        lambda url: url.replace("code=", "code=x"),
        lambda url: url.replace("iss=http", "iss=https"),
        lambda url: url.replace("code=", "error=access_denied&code="),
    ],
    ids=["wrong state", "no state", "no code", "wrong code", "wrong iss", "error"],
)
def test_an_answer_that_does_not_fit_is_refused(
    issuer: OidcIssuer, browser: Browser, api: ApiServer, alter: Callable[[str], str]
) -> None:
    issuer.person = {"sub": "altered"}
    refused(api, issuer, browser, go_round(browser, alter=alter))


def test_the_answer_of_another_browser_is_refused(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person = {"sub": "attacker"}
    with Browser(browser.base_url) as attacker:
        away = attacker.get("/sign-in/oidc")
        planted = httpx.get(away.headers["location"], trust_env=False).headers["location"]
    refused(api, issuer, browser, browser.get(planted))  # who began nothing here
    browser.get("/sign-in/oidc")
    refused(api, issuer, browser, browser.get(planted))  # who began another


def test_a_code_works_once(issuer: OidcIssuer, browser: Browser, site: str) -> None:
    issuer.person = {"sub": "replay-1"}
    away = browser.get("/sign-in/oidc")
    kept = browser.client.cookies.get("vigilo-oidc")
    back = httpx.get(away.headers["location"], trust_env=False).headers["location"]
    assert browser.get(back).status_code == 303
    with Browser(site) as thief:
        thief.client.cookies.set("vigilo-oidc", kept or "")
        assert thief.get(back).status_code == 403 and thief.session is None
    assert issuer.asked.count("/token") == 2


def test_an_altered_cookie_is_refused(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person = {"sub": "cookie-1"}
    away = browser.get("/sign-in/oidc")
    kept = browser.client.cookies.get("vigilo-oidc") or ""
    browser.client.cookies.clear()
    browser.client.cookies.set("vigilo-oidc", kept[:-6] + "AAAAA=")
    back = httpx.get(away.headers["location"], trust_env=False).headers["location"]
    refused(api, issuer, browser, browser.get(back))


def test_the_account_is_issuer_and_subject_never_the_address(
    issuer: OidcIssuer, browser: Browser, api: ApiServer
) -> None:
    (local,) = api.rows(
        "insert into config.users (user_id, email, name, created_at, updated_at) "
        "values (gen_random_uuid(), 'shared@example.org', 'Local', now(), now()) returning user_id"
    )
    issuer.person = {"sub": "addr-1", "email": "shared@example.org", "email_verified": True}
    assert go_round(browser).status_code == 303
    (mine,) = users(api, issuer, "addr-1")
    assert mine["user_id"] != local["user_id"]
    issuer.person = {"sub": "addr-1", "email": "moved@example.org", "email_verified": False, "name": "Renamed"}
    assert go_round(browser).status_code == 303
    (same,) = users(api, issuer, "addr-1")
    assert (same["user_id"], same["email"], same["name"]) == (mine["user_id"], None, "Renamed")
    issuer.person = {"sub": "addr-2", "email": "shared@example.org", "email_verified": True}
    assert go_round(browser).status_code == 303
    assert users(api, issuer, "addr-2")[0]["user_id"] not in {mine["user_id"], local["user_id"]}


def test_groups_are_followed_at_each_sign_in_and_never_make_an_owner(
    issuer: OidcIssuer, browser: Browser, api: ApiServer
) -> None:
    def come(*groups: str) -> dict[str, tuple[str, str]]:
        issuer.person = {"sub": "grouped", "groups": list(groups)}
        assert go_round(browser).status_code == 303
        return roles(api, "grouped")

    assert come() == {}
    assert come("dev", "unknown") == {"one": ("member", "oidc"), "two": ("viewer", "oidc")}
    assert come("dev", "ops") == {"one": ("admin", "oidc"), "two": ("viewer", "oidc")}
    api.rows(
        "update config.memberships m set role = 'approver', source = 'local' from config.users u, config.workspaces w "
        "where u.user_id = m.user_id and w.workspace_id = m.workspace_id and u.oidc_subject = 'grouped' "
        "and w.slug = 'one' returning 1"
    )
    assert come() == {"one": ("approver", "local")}
    assert come("ops") == {"one": ("approver", "local")}
    api.rows(
        "update config.memberships m set role = 'owner', source = 'oidc' from config.users u "
        "where u.user_id = m.user_id and u.oidc_subject = 'grouped' returning 1"
    )
    assert come() == {"one": ("owner", "oidc")}
    told = api.rows(
        "select action, before, after from config.audit_entries e join config.workspaces w using (workspace_id) "
        "where w.slug = 'two' and subject = 'user:' || (select u.user_id from config.users u "
        "where u.oidc_subject = 'grouped') and action like 'member.%%' order by sequence"
    )
    assert [(row["action"], row["before"], row["after"]) for row in told] == [
        ("member.add", None, {"role": "viewer", "source": "oidc"}),
        ("member.remove", {"role": "viewer", "source": "oidc"}, None),
    ]


def test_groups_that_only_userinfo_tells(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person, issuer.in_userinfo = {"sub": "info-1"}, {"groups": ["ops"]}
    assert go_round(browser).status_code == 303
    assert roles(api, "info-1") == {"one": ("admin", "oidc")}
    issuer.person, issuer.in_userinfo = {"sub": "info-2"}, {"sub": "info-1", "groups": ["ops"]}
    assert go_round(browser).status_code == 303
    assert roles(api, "info-2") == {}


def test_a_disabled_account_is_refused(issuer: OidcIssuer, browser: Browser, api: ApiServer) -> None:
    issuer.person = {"sub": "gone-1"}
    go_round(browser)
    api.rows("update config.users set disabled_at = now() where oidc_subject = 'gone-1' returning 1")
    browser.client.cookies.clear()
    assert go_round(browser).status_code == 403 and browser.session is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://127.0.0.2:1/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_the_issuer_leads_nowhere_but_to_itself(
    issuer: OidcIssuer, browser: Browser, api: ApiServer, metadata: Claims
) -> None:
    issuer.metadata, issuer.person = metadata, {"sub": "elsewhere"}
    away = browser.get("/sign-in/oidc")
    if away.status_code == 303:
        back = httpx.get(away.headers["location"], trust_env=False).headers["location"]
        away = browser.get(back)
    assert away.status_code == 502 and users(api, issuer, "elsewhere") == []


@pytest.mark.parametrize(
    "changes", [{"oidc_allow": ()}, {"own_listeners": ("127.0.0.1:ISSUER",)}], ids=["no grant", "own listener"]
)
def test_the_egress_policy_holds_for_the_issuer(api: ApiServer, issuer: OidcIssuer, changes: dict[str, Any]) -> None:
    port = issuer.url.rpartition(":")[2]
    altered = {key: tuple(text.replace("ISSUER", port) for text in value) for key, value in changes.items()}
    with with_issuer(api, issuer, **altered) as url, Browser(url) as browser:
        assert browser.get("/sign-in/oidc").status_code == 502
    assert issuer.asked == []


def test_without_an_issuer_there_is_no_such_page(api: ApiServer) -> None:
    with Browser(api.base_url) as browser:
        assert "/sign-in/oidc" not in browser.get("/sign-in").text
        assert browser.get("/sign-in/oidc").status_code == 404
        assert browser.get("/sign-in/oidc/callback?code=a&state=b").status_code == 404
