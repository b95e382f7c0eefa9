from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.tls.names import matches_name


@pytest.mark.parametrize(
    ("asked", "presented"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com.", "Example.COM"),
        ("www.example.com", "*.example.com"),
        ("a.b.example.com", "*.b.example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("bücher.example.com", "*.example.com"),
        ("_a.example.com", "_a.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_names_that_match(asked: str, presented: str) -> None:
    assert matches_name(asked, dns_names=["other.test", presented], ip_addresses=[])


@pytest.mark.parametrize(
    ("asked", "presented"),
    [
        ("example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("www.example.com", "w*.example.com"),
        ("www.example.com", "www.*.com"),
        ("example.com", "*.com"),
        ("example.com", "*"),
        ("example.com", "*."),
        ("a.example.com", "*.*.com"),
        ("example.com", "example.com.evil.test"),
        ("notexample.com", "example.com"),
        ("example.com", "example.com\\x00.evil.test"),
        ("example.com", ""),
        ("kelvin.test", "\u212aelvin.test"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "*.0.2.1"),
    ],
)
def test_names_that_do_not_match(asked: str, presented: str) -> None:
    assert not matches_name(asked, dns_names=[presented], ip_addresses=[])


def test_addresses_are_compared_as_addresses() -> None:
    assert matches_name("[2001:DB8::1]", dns_names=[], ip_addresses=["2001:db8:0:0:0:0:0:1"])
    assert matches_name("192.0.2.1", dns_names=[], ip_addresses=["junk", "192.0.2.1"])
    assert not matches_name("192.0.2.1", dns_names=[], ip_addresses=["192.0.2.2"])
    assert not matches_name("example.com", dns_names=[], ip_addresses=["192.0.2.1"])


@given(st.text(), st.lists(st.text()), st.lists(st.text()))
def test_any_text_gives_an_answer(asked: str, dns_names: list[str], ip_addresses: list[str]) -> None:
    assert matches_name(asked, dns_names=dns_names, ip_addresses=ip_addresses) in {True, False}
