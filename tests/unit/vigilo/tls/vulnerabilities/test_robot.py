"""The five paddings are what they say they are; a difference counts when it repeats itself."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.pki import Authority, Options, rsa_key
from vigilo.events.posture import Exposure
from vigilo.tls.der import NotDer
from vigilo.tls.vulnerabilities.robot import (
    AGAIN,
    RANDOM_BYTES,
    VARIANTS,
    judge_again,
    judge_first,
    paddings,
    read_rsa_key,
)

AUTHORITY = Authority.create()
MAC, PADDING = "the alert bad_record_mac", "the alert decrypt_error"


@given(st.integers(128, 2048), st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_each_block_has_its_own_fault_and_the_first_has_none(octets: int, random: bytes) -> None:
    good, beginning, late, none, version = paddings(octets, 0x0303, random)
    assert {len(one) for one in (good, beginning, late, none, version)} == {octets}
    begin, _, secret = good[2:].partition(b"\x00")
    assert (good[:2], len(begin), secret[:2], len(secret)) == (b"\x00\x02", octets - 51, b"\x03\x03", 48)
    assert beginning[:2] != b"\x00\x02"
    assert late[2:].index(b"\x00") == octets - 4
    assert b"\x00" not in none[2:]
    assert version[-48:-46] == b"\x02\x02"


def test_keys_are_read_from_the_bytes() -> None:
    key = rsa_key(1024)
    assert isinstance(key, RSAPrivateKey)
    leaf = AUTHORITY.leaf("a.test", options=Options(key=key))
    assert read_rsa_key(leaf.chain_der[0]).modulus == key.public_key().public_numbers().n
    with pytest.raises(NotDer):
        read_rsa_key(AUTHORITY.leaf("b.test").chain_der[0])


def test_alike_is_safe_and_a_difference_is_asked_again() -> None:
    same = judge_first([MAC] * VARIANTS)
    assert same is not None
    assert same.exposure is Exposure.SAFE
    differing = [MAC, MAC, PADDING, MAC, MAC]
    assert judge_first(differing) is None
    same_again = dict(enumerate(differing))
    assert judge_again(differing, same_again).exposure is Exposure.VULNERABLE
    for variant in range(VARIANTS):
        other = PADDING if differing[variant] == MAC else MAC
        assert judge_again(differing, {**same_again, variant: other}).exposure is Exposure.UNKNOWN
        part = {one: answer for one, answer in same_again.items() if one != variant}
        assert judge_again(differing, part).exposure is Exposure.UNKNOWN


@pytest.mark.parametrize("servers", range(2, VARIANTS + 1))
def test_servers_that_take_turns_are_never_taken_for_an_oracle(servers: int) -> None:
    """However many there are, and whichever of them answer otherwise."""
    for pattern in range(1, 2**servers - 1):
        turns = [MAC if pattern >> (at % servers) & 1 else PADDING for at in range(2 * VARIANTS)]
        first, second = turns[:VARIANTS], dict(zip(AGAIN, turns[VARIANTS:], strict=True))
        if judge_first(first) is None:
            assert judge_again(first, second).exposure is Exposure.UNKNOWN, (servers, pattern)
