from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.addresses import DENIED, PRIVATE, PUBLIC
from vigilo.tls.addresses import Address, Denied, Private, Public, classify, parse_address, unwrapped


@pytest.mark.parametrize("address", DENIED)
def test_denied_addresses(address: str) -> None:
    assert isinstance(classify(parse_address(address)), Denied)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert classify(parse_address(address)) == Private()


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert classify(parse_address(address)) == Public()


@given(st.ip_addresses())
def test_every_address_is_some_place(address: Address) -> None:
    assert isinstance(classify(address), Denied | Private | Public)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_wrapping_an_ipv4_address_never_changes_what_it_is(address: IPv4Address, prefix: str) -> None:
    wrapped = IPv6Address(int(ip_address(prefix)) | int(address))
    assert unwrapped(wrapped) == (address,)
    assert classify(wrapped) == classify(address)


@given(st.ip_addresses(v=4))
def test_tunnels_are_judged_by_where_they_end(address: IPv4Address) -> None:
    six_to_four = IPv6Address(0x2002 << 112 | int(address) << 80 | 1)
    teredo = IPv6Address(0x20010000 << 96 | int(IPv4Address("8.8.8.8")) << 64 | int(address) ^ 0xFFFFFFFF)
    assert classify(six_to_four) == classify(address)
    assert classify(teredo) == classify(address)
