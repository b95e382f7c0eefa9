"""Name matching, RFC 9525."""

import pytest

from vigilo.tls.names import matches_name


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("api.acme.test", "api.acme.test"),
        ("api.acme.test", "API.Acme.Test"),
        ("api.acme.test", "*.acme.test"),
        ("api.acme.test.", "api.acme.test"),
        ("xn--mnchen-3ya.test", "xn--mnchen-3ya.test"),
    ],
)
def test_a_dns_name_covers(asked: str, name: str) -> None:
    assert matches_name(asked, dns_names=[name], ip_addresses=[])


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("a.b.acme.test", "*.acme.test"),
        ("acme.test", "*.acme.test"),
        ("api.acme.test", "a*.acme.test"),
        ("api.acme.test", "api.*.test"),
        ("acme.test", "*.test"),
        ("api.acme.test", "*"),
        ("api.acme.test", ""),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "*.0.2.1"),
    ],
)
def test_a_dns_name_does_not_cover(asked: str, name: str) -> None:
    assert not matches_name(asked, dns_names=[name], ip_addresses=[])


def test_an_address_is_compared_as_a_number() -> None:
    assert matches_name("2001:db8::1", dns_names=[], ip_addresses=["2001:0DB8:0:0:0:0:0:1"])
    assert matches_name("[2001:db8::1]", dns_names=[], ip_addresses=["2001:db8::1"])
    assert not matches_name("192.0.2.1", dns_names=[], ip_addresses=["192.0.2.2", "garbage"])


def test_a_hostname_never_matches_an_ip_entry() -> None:
    assert not matches_name("api.acme.test", dns_names=[], ip_addresses=["api.acme.test"])
