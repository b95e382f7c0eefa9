"""Sign-in through a real issuer: whom it makes of people here."""

from __future__ import annotations

import pytest

from tests.fakes.api_server import ApiServer
from tests.fakes.browser import Browser
from tests.fakes.oidc_issuer import OidcIssuer, new_ec_key, new_rsa_key
from tests.integration.api.signin.oidc.conftest import first_key, go_round, roles, users

pytestmark = pytest.mark.postgres


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
    issuer.person = {"sub": "gone-1", "groups": ["ops", "dev"]}
    go_round(browser)
    api.rows("update config.users set disabled_at = now() where oidc_subject = 'gone-1' returning 1")
    browser.client.cookies.clear()
    assert go_round(browser).status_code == 403 and browser.session is None
    (last,) = api.rows("select action, after from config.audit_entries order by workspace_id, sequence desc limit 1")
    assert (last["action"], last["after"]) == ("user.sign-in-refused", {"reason": "disabled"})


def test_without_an_issuer_there_is_no_such_page(api: ApiServer) -> None:
    with Browser(api.base_url) as browser:
        assert "/sign-in/oidc" not in browser.get("/sign-in").text
        assert browser.get("/sign-in/oidc").status_code == 404
        assert browser.get("/sign-in/oidc/callback?code=a&state=b").status_code == 404
