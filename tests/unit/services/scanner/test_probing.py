from __future__ import annotations

import random
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scanner.probing import Timing, describe, enumerates, in_turn, offers_alpn, speaker, stable_order
from services.scanner.sightings import Address, AddressSeen, HandshakeSeen, HostSeen, PostureSeen, Unsuccessful
from tests.fakes import pki
from tests.fakes.scan_requests import full_request, light_request
from vigilo.events.codec import decode_value, encode_value
from vigilo.events.hosts import Probing, Protocol
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome, Snapshot

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
TIMING = Timing(AT, AT, 12)
ADDRESS = ip_address("192.0.2.1")
LEAF = pki.Authority.create().leaf("a.test")
WITH_URL = pki.Authority.create().leaf("a.test", options=pki.Options(ocsp_url="http://ocsp.test/"))


def described(*seen: AddressSeen, failure: Unsuccessful | None = None) -> Snapshot:
    return describe(light_request("a.test"), HostSeen(seen, failure), TIMING, scanner="test")


def test_a_failure_before_any_address_is_the_outcome() -> None:
    snapshot = described(failure=Unsuccessful(Outcome.NAME_NOT_FOUND, "no such name"))
    assert (snapshot.outcome, snapshot.detail, snapshot.addresses) == (Outcome.NAME_NOT_FOUND, "no such name", ())


def test_the_most_telling_address_speaks_and_the_first_of_equals() -> None:
    def seen(last: int, outcome: Outcome) -> AddressSeen:
        return AddressSeen(ip_address(f"192.0.2.{last}"), outcome)

    dead, mute, well, also = (
        seen(1, Outcome.CONNECT_TIMEOUT),
        seen(2, Outcome.TLS_ALERT),
        seen(3, Outcome.OK),
        seen(4, Outcome.OK),
    )
    assert speaker([dead, mute, well, also]) is well
    assert speaker([dead, mute]) is mute
    assert speaker([dead]) is dead


def test_a_missing_staple_is_unknown_until_asked_for_twice() -> None:
    once = AddressSeen(ADDRESS, Outcome.OK, handshake=HandshakeSeen(chain=WITH_URL.chain_der))
    twice = AddressSeen(ADDRESS, Outcome.OK, handshake=HandshakeSeen(chain=WITH_URL.chain_der), asked_again=True)
    needless = AddressSeen(ADDRESS, Outcome.OK, handshake=HandshakeSeen(chain=LEAF.chain_der))
    assert described(once).staple is None
    for seen in (twice, needless):
        staple = described(seen).staple
        assert staple is not None
        assert staple.present is False


def test_a_failed_handshake_keeps_the_chain_it_showed() -> None:
    seen = AddressSeen(ADDRESS, Outcome.TLS_FAILURE, "bad signature", handshake=HandshakeSeen(chain=LEAF.chain_der))
    snapshot = described(seen)
    assert (snapshot.outcome, snapshot.chain_count) == (Outcome.TLS_FAILURE, 2)


@given(st.lists(st.ip_addresses(), max_size=20), st.randoms())
def test_addresses_have_one_order_whatever_dns_says(addresses: list[Address], chance: random.Random) -> None:
    shuffled = [*addresses, *addresses]
    chance.shuffle(shuffled)
    ordered = stable_order(shuffled)
    assert ordered == stable_order(addresses)
    assert set(ordered) == set(addresses)
    assert sorted(in_turn(ordered), key=str) == sorted(ordered, key=str)


def test_families_take_turns() -> None:
    four = tuple(ip_address(f"192.0.2.{i}") for i in range(3))
    six = (ip_address("2001:db8::1"),)
    assert in_turn((*four, *six)) == (four[0], six[0], four[1], four[2])


@pytest.mark.parametrize(
    ("port", "offered"), [(443, True), (8443, True), (10443, True), (2087, True), (465, False), (993, False)]
)
def test_alpn_is_for_http_ports(port: int, offered: bool) -> None:
    assert offers_alpn(port) is offered


@given(
    st.lists(st.binary(max_size=64), max_size=40),
    st.one_of(st.none(), st.binary(max_size=64)),
    st.one_of(st.none(), st.text()),
    st.sampled_from(Outcome),
)
def test_whatever_a_peer_sends_becomes_a_snapshot_that_survives_the_wire(
    chain: list[bytes], staple: bytes | None, words: str | None, outcome: Outcome
) -> None:
    handshake = HandshakeSeen(chain=tuple(chain), staple=staple, alpn=words, version="TLSv1.2")
    snapshot = described(AddressSeen(ADDRESS, outcome, words, 1, 2, handshake))
    assert snapshot.chain_count == len(chain)
    assert decode_value(encode_value(snapshot), Snapshot) == snapshot


@pytest.mark.parametrize(
    ("outcome", "protocol", "asked"),
    [
        (Outcome.OK, Protocol.TLS, True),
        (Outcome.TLS_ALERT, None, True),
        (Outcome.TLS_FAILURE, Protocol.TLS, True),
        (Outcome.OK, Protocol.SMTP, True),
        (Outcome.NOT_TLS, None, False),
        (Outcome.TLS_TIMEOUT, None, False),
        (Outcome.REFUSED, None, False),
    ],
)
def test_who_is_asked_what_it_accepts(outcome: Outcome, protocol: Protocol | None, asked: bool) -> None:
    seen = AddressSeen(ip_address("192.0.2.1"), outcome, protocol=protocol)
    assert enumerates(full_request("a.test"), seen) is asked
    assert not enumerates(light_request("a.test"), seen)
    assert not enumerates(full_request("a.test", probing=Probing.HANDSHAKE_ONLY), seen)


def test_a_snapshot_is_full_only_with_a_posture() -> None:
    seen = HostSeen((AddressSeen(ip_address("192.0.2.1"), Outcome.OK),))
    timing = Timing(datetime.now(UTC), datetime.now(UTC), 1)
    assert describe(full_request("a.test"), seen, timing, scanner="t").depth is Depth.LIGHT
    full = describe(
        full_request("a.test"), seen, timing, scanner="t", deeper=PostureSeen((Posture(connections=7),), Depth.FULL)
    )
    assert full.depth is Depth.FULL
    assert decode_value(encode_value(full), Snapshot) == full
