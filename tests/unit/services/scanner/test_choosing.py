"""Which addresses are enumerated."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scanner.choosing import fingerprint, to_enumerate, to_enumerate_too
from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen
from tests.fakes.scan_requests import full_request, light_request
from vigilo.events.hosts import Probing
from vigilo.events.ids import new_id
from vigilo.events.posture import Posture, Support
from vigilo.events.scans import POSTURES_MAX, Baseline, Depth, Outcome, ScanReason, ScanRequested


def slot_request(**how: Any) -> ScanRequested:
    return full_request(**how).model_copy(update={"reason": ScanReason.SLOT})


def seen(last: int, leaf: bytes = b"leaf", outcome: Outcome = Outcome.OK, suite: str = "suite") -> AddressSeen:
    handshake = HandshakeSeen("TLSv1.3", suite, "x25519", chain=(leaf,)) if outcome is Outcome.OK else None
    return AddressSeen(ip_address(f"192.0.2.{last}"), outcome, handshake=handshake)


def chosen(request: ScanRequested, *addresses: AddressSeen) -> list[int]:
    return [int(one.address) & 255 for one in to_enumerate(request, HostSeen(addresses))]


def on_day(request: ScanRequested, day: int) -> ScanRequested:
    return request.model_copy(update={"requested_at": request.requested_at + timedelta(days=day)})


def baseline(*postures: Posture, posture: Posture | None = None) -> Baseline:
    at = full_request().requested_at
    return Baseline(scan_id=new_id(), requested_at=at, posture=posture, address_postures=postures)


@given(st.integers(1, 16), st.uuids())
def test_alike_addresses_take_turns_and_each_has_its_day(count: int, host_id: object) -> None:
    request = slot_request()
    request = request.model_copy(update={"target": request.target.model_copy(update={"host_id": host_id})})
    addresses = [seen(last) for last in range(1, count + 1)]
    days = [chosen(on_day(request, day), *addresses) for day in range(count)]
    assert all(len(one) == 1 for one in days)
    assert {one[0] for one in days} == set(range(1, count + 1))


def test_every_scan_of_a_day_asks_the_same_address() -> None:
    at = slot_request().requested_at.replace(hour=0, minute=0)
    request = slot_request().model_copy(update={"requested_at": at})
    later = request.model_copy(update={"scan_id": new_id(), "requested_at": at + timedelta(hours=23)})
    addresses = [seen(last) for last in range(1, 6)]
    assert chosen(request, *addresses) == chosen(later, *addresses)


def test_an_address_that_answers_otherwise_is_enumerated_too() -> None:
    request = full_request()
    for odd in (seen(3, leaf=b"another"), seen(3, suite="another"), seen(3, outcome=Outcome.TLS_ALERT)):
        found = chosen(request, seen(1), seen(2), odd)
        assert len(found) == 2
        assert 3 in found


def test_at_most_four_are_enumerated_and_each_differs() -> None:
    addresses = [seen(last, leaf=bytes([last // 2])) for last in range(1, 17)]
    found = to_enumerate(full_request(), HostSeen(tuple(addresses)))
    assert len(found) == POSTURES_MAX
    assert len({fingerprint(one) for one in found}) == POSTURES_MAX


def test_a_dead_address_has_no_turn() -> None:
    request = slot_request()
    found = {
        tuple(chosen(on_day(request, day), seen(1, outcome=Outcome.REFUSED), seen(2), seen(3))) for day in range(4)
    }
    assert found == {(2,), (3,)}


def test_addresses_once_found_to_differ_are_all_asked_again() -> None:
    odd = Posture(address="192.0.2.2", compression=Support.ACCEPTED)
    known = baseline(Posture(address="192.0.2.1"), odd)
    request = slot_request(baseline=known)
    for day in range(3):
        assert {1, 2} <= set(chosen(on_day(request, day), seen(1), seen(2), seen(3)))
    alike = slot_request(baseline=baseline(odd, odd.model_copy(update={"address": "192.0.2.3", "connections": 9})))
    assert all(len(chosen(on_day(alike, day), seen(1), seen(2), seen(3))) == 1 for day in range(3))


def test_nothing_is_enumerated_where_nothing_was_asked_for() -> None:
    assert chosen(full_request()) == []
    assert chosen(light_request(), seen(1)) == []
    assert chosen(full_request(probing=Probing.HANDSHAKE_ONLY), seen(1)) == []
    assert chosen(full_request(), seen(1, outcome=Outcome.REFUSED)) == []


def test_a_posture_that_changes_with_the_turn_is_looked_at_from_both_sides() -> None:
    before = Posture(address="192.0.2.1", compression=Support.REJECTED, connections=30)
    request = full_request(baseline=baseline(posture=before))
    addresses = HostSeen((seen(1), seen(2)))

    def too(measured: Posture) -> list[str]:
        return [str(one.address) for one in to_enumerate_too(request, addresses, [measured])]

    odd = Posture(address="192.0.2.2", compression=Support.ACCEPTED)
    assert too(odd) == ["192.0.2.1"]
    assert too(before.model_copy(update={"address": "192.0.2.2", "connections": 31, "notes": ("slow",)})) == []
    assert too(odd.model_copy(update={"address": "192.0.2.1"})) == []
    assert too(odd.model_copy(update={"throttled": True})) == []
    assert to_enumerate_too(request, HostSeen((seen(2),)), [odd]) == ()


def test_the_fingerprint_is_of_leaf_and_hello_but_not_of_the_staple() -> None:
    hello = HandshakeSeen("TLSv1.2", "suite", chain=(b"leaf",), hello_extensions=(65281, 23))
    stapling = HandshakeSeen("TLSv1.2", "suite", chain=(b"leaf",), hello_extensions=(65281, 5, 23))
    turned = HandshakeSeen("TLSv1.2", "suite", chain=(b"leaf",), hello_extensions=(23, 65281))
    assert hello.hello_sha256 == stapling.hello_sha256 != turned.hello_sha256
    assert HandshakeSeen(chain=(b"leaf",)).hello_sha256 is None
    assert fingerprint(seen(1, outcome=Outcome.TLS_ALERT)) == (None, None)


def test_a_posture_in_doubt_is_measured_where_it_was_measured() -> None:
    known = baseline(posture=Posture(address="192.0.2.2"))
    for depth, reason in (
        (Depth.POSTURE, ScanReason.SLOT),
        (Depth.FULL, ScanReason.BASELINE),
        (Depth.FULL, ScanReason.COMMAND),
    ):
        request = full_request(baseline=known).model_copy(update={"depth": depth, "reason": reason})
        for day in range(3):
            assert chosen(on_day(request, day), seen(1), seen(2), seen(3)) == [2]
        assert chosen(request, seen(1), seen(3)) in ([1], [3])
        assert chosen(request, seen(1), seen(2), seen(3, leaf=b"another")) == [2, 3]
