"""Only what the posture leaves possible is asked, and an unknown posture makes nobody safe."""

from __future__ import annotations

from vigilo.events.posture import Exposure, GroupsPosture, Posture, Support, VersionPosture
from vigilo.tls.vulnerabilities import plan
from vigilo.tls.vulnerabilities.finding import Finding, Hole, safe, unknown, vulnerable, worst
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer

ECDHE, STATIC = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"


def posture(complete: bool = True, **suites: tuple[str, ...] | None) -> Posture:
    """Versions by `TLSv12=(...)`; () is refused, None unknown; those not named are refused."""

    def one(version: str) -> VersionPosture:
        found = suites.get(version.replace(".", ""), ())
        if found is None:
            return VersionPosture(version=version)
        support = Support.ACCEPTED if found else Support.REJECTED
        return VersionPosture(version=version, support=support, suites=found, complete=complete or not found)

    return Posture(versions=tuple(one(version) for version in code.VERSION_NAMES.values()))


def exposure(settled: Offer | Finding | None) -> Exposure:
    assert isinstance(settled, Finding)
    return settled.exposure


def test_the_best_version_below_tls13_is_asked_in() -> None:
    offer = plan.offer_below_tls13(
        posture(TLSv10=(STATIC,), TLSv12=(ECDHE, STATIC), TLSv13=("TLS_AES_128_GCM_SHA256",))
    )
    assert isinstance(offer, Offer)
    assert (offer.version, offer.suites) == (code.TLS12, (0xC02F, 0x002F))
    assert offer.groups == code.EC_GROUPS
    old = plan.offer_below_tls13(posture(TLSv10=(STATIC,)))
    assert old == Offer(code.TLS10, (0x002F,))


def test_groups_are_those_it_chose_and_those_its_certificate_may_need() -> None:
    known = posture(TLSv12=(ECDHE,)).model_copy(update={"groups_tls12": GroupsPosture(groups=("x25519",))})
    offer = plan.offer_below_tls13(known)
    assert isinstance(offer, Offer)
    assert offer.groups == (29, *code.NIST_GROUPS)


def test_tls13_alone_is_safe_and_what_is_not_known_is_not() -> None:
    assert exposure(plan.offer_below_tls13(posture(TLSv13=("TLS_AES_128_GCM_SHA256",)))) is Exposure.SAFE
    assert exposure(plan.offer_below_tls13(posture(TLSv12=None))) is Exposure.UNKNOWN
    assert exposure(plan.offer_below_tls13(posture(SSLv3=(STATIC,)))) is Exposure.UNKNOWN
    assert exposure(plan.offer_below_tls13(Posture())) is Exposure.UNKNOWN


def test_robot_is_asked_with_static_rsa_only() -> None:
    assert plan.static_rsa_offer(posture(TLSv12=(ECDHE, STATIC))) == Offer(code.TLS12, (0x002F,))
    assert plan.static_rsa_offer(posture(TLSv12=(ECDHE,), TLSv10=(STATIC,))) == Offer(code.TLS10, (0x002F,))
    assert exposure(plan.static_rsa_offer(posture(TLSv12=(ECDHE,)))) is Exposure.SAFE
    assert exposure(plan.static_rsa_offer(posture(complete=False, TLSv12=(ECDHE,)))) is Exposure.UNKNOWN
    assert exposure(plan.static_rsa_offer(posture(TLSv12=(ECDHE,), TLSv11=None))) is Exposure.UNKNOWN


def test_tickets() -> None:
    assert plan.tickets(Posture(session_tickets=Support.ACCEPTED)) is None
    assert exposure(plan.tickets(Posture(session_tickets=Support.REJECTED))) is Exposure.SAFE
    assert exposure(plan.tickets(Posture())) is Exposure.UNKNOWN


def test_of_several_addresses_the_worst_counts() -> None:
    a = (safe("a").about(Hole.ROBOT), unknown("b").about(Hole.HEARTBLEED))
    b = (vulnerable("c").about(Hole.ROBOT), safe("d").about(Hole.HEARTBLEED))
    for order in ((a, b), (b, a)):
        assert [(one.name, one.exposure) for one in worst(order)] == [
            ("heartbleed", Exposure.UNKNOWN),
            ("robot", Exposure.VULNERABLE),
        ]
