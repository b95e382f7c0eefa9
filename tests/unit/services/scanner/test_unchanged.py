"""Which known postures are checked, and what the verdicts come to."""

from __future__ import annotations

import pytest

from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen, PostureSeen
from services.scanner.unchanged import conclude, to_check
from tests.fakes.model_server import enumerate_model
from tests.fakes.model_servers import MODELS
from tests.fakes.scan_requests import light_request
from vigilo.events.hosts import Probing, Protocol
from vigilo.events.ids import new_id
from vigilo.events.posture import Posture
from vigilo.events.scans import POSTURES_MAX, Baseline, Depth, Outcome, ScanRequested
from vigilo.tls.addresses import parse_address
from vigilo.tls.posture.check import Sameness, Verdict

ONE, TWO, THREE = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def posture(address: str) -> Posture:
    return enumerate_model(MODELS["intermediate"]).model_copy(update={"address": address})


def seen(*addresses: str, leaf: bytes = b"leaf", outcome: Outcome = Outcome.OK) -> tuple[AddressSeen, ...]:
    handshake = HandshakeSeen(version="TLSv1.3", cipher_suite="TLS_AES_256_GCM_SHA384", chain=(leaf,))
    return tuple(
        AddressSeen(parse_address(address), outcome, handshake=handshake, protocol=Protocol.TLS)
        for address in addresses
    )


def request(*known: Posture, probing: Probing = Probing.FULL, depth: Depth = Depth.POSTURE) -> ScanRequested:
    base = light_request("a.test", probing=probing)
    first = known[0] if known else None
    several = known if len(known) > 1 else ()
    baseline = Baseline(scan_id=new_id(), requested_at=base.requested_at, posture=first, address_postures=several)
    return base.model_copy(update={"depth": depth, "baseline": baseline})


def checked(request: ScanRequested, *groups: tuple[AddressSeen, ...]) -> list[str]:
    return [str(one.address) for one, _ in to_check(request, HostSeen(tuple(one for group in groups for one in group)))]


def test_the_address_of_the_known_posture_is_checked_whichever_others_there_are() -> None:
    assert checked(request(posture(TWO)), seen(ONE, TWO, THREE)) == [TWO]


def test_each_address_with_a_posture_of_its_own_is_checked() -> None:
    assert checked(request(posture(ONE), posture(THREE)), seen(ONE, TWO, THREE)) == [ONE, THREE]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.TLS_TIMEOUT])
def test_an_address_that_is_gone_or_silent_cannot_be_checked(outcome: Outcome) -> None:
    assert checked(request(posture(ONE)), seen(TWO)) == []
    assert checked(request(posture(ONE)), seen(ONE, outcome=outcome), seen(TWO)) == []


def test_an_address_that_answers_as_none_of_the_known_ones_is_news() -> None:
    assert checked(request(posture(ONE)), seen(ONE), seen(TWO, leaf=b"another")) == []
    both = request(posture(ONE), posture(TWO))
    assert checked(both, seen(ONE), seen(TWO, THREE, leaf=b"another")) == [ONE, TWO]


def test_more_differing_addresses_than_are_measured_are_not_measured_for_ever() -> None:
    known = [f"192.0.2.{number}" for number in range(1, POSTURES_MAX + 1)]
    strange = seen("192.0.2.99", leaf=b"another")
    assert checked(request(*map(posture, known)), seen(*known), strange) == known


def test_nothing_is_checked_where_only_handshakes_are_allowed_or_nothing_is_known() -> None:
    assert checked(request(posture(ONE), probing=Probing.HANDSHAKE_ONLY), seen(ONE)) == []
    assert checked(request(), seen(ONE)) == []
    assert checked(request(posture(ONE), depth=Depth.LIGHT), seen(ONE)) == []


SAME, DIFFERENT = Verdict(Sameness.SAME), Verdict(Sameness.DIFFERENT)
UNCLEAR, THROTTLED = Verdict(Sameness.UNCLEAR), Verdict(Sameness.THROTTLED)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((SAME, SAME), Depth.POSTURE),
        ((SAME, DIFFERENT), None),
        ((UNCLEAR, DIFFERENT), None),
        ((SAME, UNCLEAR), Depth.LIGHT),
        ((SAME, THROTTLED), Depth.LIGHT),
        ((DIFFERENT, THROTTLED), Depth.LIGHT),
    ],
)
def test_the_host_is_as_the_worst_of_its_addresses(verdicts: tuple[Verdict, ...], expected: Depth | None) -> None:
    pairs = tuple(zip(seen(ONE, TWO), (posture(ONE), posture(TWO)), strict=True))
    found = conclude(pairs, verdicts)
    assert (None if found is None else found.depth) == expected
    if found is not None:
        assert found.throttled is (THROTTLED in verdicts)
        assert found.postures == (tuple(known for _, known in pairs) if expected is Depth.POSTURE else ())


def test_an_unclear_check_is_no_check() -> None:
    pairs = tuple(zip(seen(ONE), (posture(ONE),), strict=True))
    assert conclude(pairs, (UNCLEAR,)) == PostureSeen()
