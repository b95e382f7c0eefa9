from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vigilo.events.hostnames import InvalidHostname, is_ip_literal, normalise_hostname


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("r3---sn-abc.example.com", "r3---sn-abc.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER。example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("127.0.0.1", "127.0.0.1"),
        ("１２７.０.０.１", "127.0.0.1"),  # noqa: RUF001 full-width digits are what is tested
        ("::1", "::1"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_a_hostname_has_one_normal_form(typed: str, normal: str) -> None:
    assert normalise_hostname(typed) == normal


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("https://example.com", "scheme"),
        ("example.com/path", "path"),
        ("example.com?x", "query"),
        ("example.com#x", "fragment"),
        ("me@example.com", "user name"),
        ("exa mple.com", "space"),
        ("example.com\n", "control character"),
        ("example.com\x00", "control character"),
        ("*.example.com", "wildcard"),
        ("example.com:443", "port has a field"),
        ("example..com", "two dots"),
        ("example.com..", "two dots"),
        (".", "begins with one"),
        ("-a.example", "not allowed"),
        ("a-.example", "not allowed"),
        ("a,b.example", "not allowed"),
        ("a" * 64 + ".example", "longer than 63"),
        ("xn--zzzzzz99999999.example", "IDNA"),
        ("xn--.example", "not allowed"),
        ("xn--a.example", "IDNA"),
        ("\u202eexample.com", "internationalised"),
        ("\u200d.example", "internationalised"),
        ("1.2.3", "no IPv4"),
        ("127.1", "no IPv4"),
        ("0x7f000001", "no IPv4"),
        ("999.1.1.1", "no IPv4"),
        ("fe80::1%eth0", "zone"),
        (".".join(["a" * 60] * 5), "too many"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_is_allowed(typed: str, reason: str) -> None:
    with pytest.raises(InvalidHostname) as refused:
        normalise_hostname(typed)
    assert reason in refused.value.reason
    assert refused.value.allowed


@given(st.one_of(st.text(), st.text(alphabet="abcXn-_.ü0123456789:[]。ß"), st.ip_addresses().map(str)))
@example("\u0130.example")
@example("xn--\uff0e")
def test_any_text_is_a_safe_name_or_refused(typed: str) -> None:
    try:
        name = normalise_hostname(typed)
    except InvalidHostname as refused:
        assert refused.reason.isprintable()
        return
    assert re.fullmatch(r"[a-z0-9_.:-]{1,253}", name)
    assert normalise_hostname(name) == name
    assert (":" in name) <= is_ip_literal(name)


@given(st.ip_addresses())
def test_every_address_is_its_own_name(address: object) -> None:
    assert is_ip_literal(normalise_hostname(str(address)))
