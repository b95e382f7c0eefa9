"""Everything an issuer, or somebody who plays one, must not be believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser
from tests.fakes.oidc_issuer import Claims, OidcIssuer, new_rsa_key
from tests.integration.api.signin.oidc.conftest import go_round, users, with_issuer

pytestmark = pytest.mark.postgres


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
