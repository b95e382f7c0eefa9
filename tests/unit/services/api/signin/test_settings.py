from __future__ import annotations

import pytest

from services.api.signin.settings import SignInSettings
from vigilo.adapters.settings import BadSettings, read


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"PUBLIC_URL": "vigilo.example"}, "http"),
        ({"PUBLIC_URL": "https://vigilo.example/path"}, "without a path"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "not a CIDR"),
        ({"SESSION_IDLE": "5s"}, "at least one minute"),
        ({"OIDC_ISSUER": "https://id.example"}, "VIGILO_OIDC_CLIENT_ID"),
        ({"OIDC_GROUP_MAP": "ops=default:owner"}, "owner is given by hand only"),
        ({"OIDC_SCOPES": "email"}, "openid"),
        ({"OIDC_ALLOW": "10.0.0.0/8"}, "not CIDR:port"),
    ],
)
def test_what_nobody_can_start_with_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], complaint: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"VIGILO_{name}", value)
    with pytest.raises(BadSettings, match=complaint):
        read(SignInSettings)


def test_https_is_what_makes_cookies_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read(SignInSettings).behind_tls
    monkeypatch.setenv("VIGILO_PUBLIC_URL", "https://vigilo.example/")
    settings = read(SignInSettings)
    assert settings.behind_tls and settings.public_url == "https://vigilo.example"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://Vigilo.Example", "vigilo.example"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]"),
    ],
)
def test_the_name_people_come_by_is_answered(url: str, host: str) -> None:
    assert SignInSettings(public_url=url).public_host == host
