from __future__ import annotations

import pytest

from services.api.web.address import client_address
from services.api.web.csrf import form_token, is_form_token
from services.api.web.headers import security_headers
from services.api.web.origin import same_origin
from vigilo.adapters.egress import parse_networks


@pytest.mark.parametrize(
    ("origin", "fetch_site", "host", "tls", "same"),
    [
        ("http://127.0.0.1:8080", None, "127.0.0.1:8080", False, True),
        ("http://127.0.0.1:8080", "same-origin", "127.0.0.1:8080", False, True),
        ("http://localhost:8080", None, "127.0.0.1:8080", False, False),
        ("http://127.0.0.1:9090", None, "127.0.0.1:8080", False, False),
        ("https://vigilo.example", None, "vigilo.example", True, True),
        ("https://vigilo.example", None, "vigilo.example:443", True, True),
        ("http://vigilo.example", None, "vigilo.example", True, False),
        ("https://vigilo.example.evil", None, "vigilo.example", True, False),
        ("HTTPS://Vigilo.example", None, "vigilo.EXAMPLE", True, True),
        ("null", None, "null", False, False),
        ("", None, "", False, False),
        (None, None, "vigilo.example", True, False),
        (None, "same-origin", "vigilo.example", True, True),
        (None, "none", "vigilo.example", True, False),
        ("https://vigilo.example", "same-site", "vigilo.example", True, False),
    ],
)
def test_only_proof_of_the_same_origin_counts(
    origin: str | None, fetch_site: str | None, host: str, tls: bool, same: bool
) -> None:
    assert same_origin(origin=origin, fetch_site=fetch_site, host=host, behind_tls=tls) is same


def test_a_token_fits_its_own_cookie_only() -> None:
    token = form_token("cookie one")
    assert is_form_token(token, cookie_secret="cookie one")
    assert not is_form_token(token, cookie_secret="cookie two")
    assert not is_form_token("", cookie_secret="cookie one") and not is_form_token("é", cookie_secret="cookie one")
    assert "cookie one" not in token and len(token) == 43


def test_hsts_is_for_tls_only() -> None:
    assert "Strict-Transport-Security" in security_headers(behind_tls=True)
    assert "Strict-Transport-Security" not in security_headers(behind_tls=False)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, said: list[str], client: str) -> None:
    assert client_address(peer, said, parse_networks(["10.0.0.0/8", "fd00::/8"])) == client
