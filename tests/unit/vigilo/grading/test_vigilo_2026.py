"""What servers accept, and the letter it deserves: argued from the rules' sources, one oddity a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.pki import Authority, Options, rsa_key
from tests.fakes.snapshots import snapshot, target
from vigilo.events.cards import FindingLevel, Grade, ReportCard
from vigilo.events.facts import StapleFacts, WeakKeyHint
from vigilo.events.hosts import Probing
from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AUTHORITY = Authority.create("Rules", not_before=datetime(2022, 1, 1, tzinfo=UTC))
STORES = TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,)))
CHAIN = AUTHORITY.leaf(
    "api.acme.test", options=Options(not_before=NOW - timedelta(days=1), lifetime=timedelta(days=90), key=rsa_key(2048))
).chain_der
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
TLS13 = "TLS_AES_128_GCM_SHA256"
GCM, CBC = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
RSA, RSA_CBC = "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"
DHE = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
KEX, FS, AEAD = "rfc10015.key-exchange", "rfc9325.forward-secrecy", "rfc9325.authenticated-encryption"
SIZE, RENEGOTIATION, COMPRESSION = "rfc9325.parameter-size", "rfc5746.secure-renegotiation", "rfc9325.compression"


def posture(*tls12: str, tls13: bool = True, order: SuiteOrder = SuiteOrder.SERVER, **fields: Any) -> Posture:
    suites = {"TLSv1.2": tls12, "TLSv1.3": (TLS13,) if tls13 else ()}

    def one(version: str) -> VersionPosture:
        accepted = suites.get(version, ())
        support = Support.ACCEPTED if accepted else Support.REJECTED
        return VersionPosture(version=version, support=support, suites=accepted, complete=True, order=order)

    given = {"compression": Support.REJECTED, "secure_renegotiation": Support.ACCEPTED, **fields}
    return Posture(versions=tuple(one(version) for version in VERSIONS), **given)


def card(seen: Posture | None = None, chain: tuple[bytes, ...] = CHAIN, **fields: Any) -> ReportCard:
    given = snapshot(chain, at=NOW, posture=seen, **fields)
    return grade_snapshot(given, chain, judge=TrustJudge(STORES), at=NOW)


@pytest.mark.parametrize(
    ("seen", "grade", "rule"),
    [
        (posture(GCM), Grade.A_PLUS, None),
        (posture(), Grade.A_PLUS, None),
        (posture(GCM, CBC), Grade.A_PLUS, None),
        (posture(GCM, RSA), Grade.A_MINUS, KEX),
        (posture(GCM, DHE), Grade.A_MINUS, KEX),
        (posture(RSA, GCM), Grade.B, KEX),
        (posture(DHE, GCM), Grade.B, KEX),
        (posture(RSA, GCM, order=SuiteOrder.CLIENT), Grade.A_MINUS, KEX),
        (posture(RSA), Grade.B, KEX),
        (posture("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", GCM), Grade.B, KEX),
        (posture(GCM, dh_bits=1024), Grade.B, SIZE),
        (posture(GCM, dh_bits=1023), Grade.F, SIZE),
        (posture(GCM, dh_bits=2048), Grade.A_PLUS, None),
        (posture(GCM, groups_tls12=GroupsPosture(groups=("secp192r1",))), Grade.B, SIZE),
        (posture(GCM, groups_tls12=GroupsPosture(groups=("secp224r1", "x25519"))), Grade.A_PLUS, None),
        (posture(GCM, secure_renegotiation=Support.REJECTED), Grade.F, RENEGOTIATION),
        (posture(secure_renegotiation=Support.REJECTED), Grade.A_PLUS, None),
        (posture(GCM, secure_renegotiation=Support.UNKNOWN), Grade.A_PLUS, None),
        (posture(GCM, compression=Support.ACCEPTED), Grade.C, COMPRESSION),
        (posture(GCM, compression=Support.UNKNOWN), Grade.A_PLUS, None),
    ],
)
def test_postures(seen: Posture, grade: Grade, rule: str | None) -> None:
    graded = card(seen)
    assert (graded.grade, graded.deciding) == (grade, (rule,) if rule else ())
    assert not graded.provisional


def test_a_server_without_tls13_is_judged_by_what_it_has() -> None:
    cbc = card(posture(CBC, tls13=False), tls_version="TLSv1.2", group="x25519")
    assert (cbc.grade, cbc.deciding) == (Grade.B, (AEAD,))
    without_secrecy = card(posture(RSA, tls13=False), tls_version="TLSv1.2", group=None)
    assert (without_secrecy.grade, without_secrecy.deciding) == (Grade.B, (FS, KEX))
    incomplete = posture(CBC, tls13=False)
    open_ended = tuple(one.model_copy(update={"complete": False}) for one in incomplete.versions)
    assert card(incomplete.model_copy(update={"versions": open_ended})).grade is Grade.A_PLUS


def leaf(not_before: datetime, days: int, **options: Any) -> tuple[bytes, ...]:
    given = Options(not_before=not_before, lifetime=timedelta(days=days), **options)
    return AUTHORITY.leaf("api.acme.test", options=given).chain_der


@pytest.mark.parametrize(
    ("not_before", "days", "at", "grade"),
    [
        (datetime(2026, 3, 15, tzinfo=UTC), 199, datetime(2026, 6, 1, tzinfo=UTC), Grade.A_PLUS),
        (datetime(2026, 3, 15, tzinfo=UTC), 201, datetime(2026, 6, 1, tzinfo=UTC), Grade.B),
        (datetime(2026, 3, 14, tzinfo=UTC), 397, datetime(2026, 6, 1, tzinfo=UTC), Grade.A_PLUS),
        (datetime(2026, 3, 14, tzinfo=UTC), 399, datetime(2026, 6, 1, tzinfo=UTC), Grade.F),
        (datetime(2027, 3, 15, tzinfo=UTC), 101, datetime(2027, 6, 1, tzinfo=UTC), Grade.B),
        (datetime(2029, 3, 15, tzinfo=UTC), 46, datetime(2029, 4, 1, tzinfo=UTC), Grade.A_PLUS),
        (datetime(2029, 3, 15, tzinfo=UTC), 48, datetime(2029, 4, 1, tzinfo=UTC), Grade.B),
    ],
)
def test_lifetimes_of_public_leafs(not_before: datetime, days: int, at: datetime, grade: Grade) -> None:
    chain = leaf(not_before, days)
    graded = grade_snapshot(snapshot(chain, at=at), chain, judge=TrustJudge(STORES), at=at)
    assert (graded.grade, graded.deciding) == (grade, () if grade is Grade.A_PLUS else ("cabf-br.lifetime",))


def test_private_leafs_live_as_long_as_they_like() -> None:
    chain = leaf(NOW - timedelta(days=1), 3650)
    elsewhere = AnchorSet("elsewhere", (Authority.create("Elsewhere").root.certificate,))
    stores = TrustStores(public=elsewhere, private=AnchorSet("acme", (AUTHORITY.root.certificate,)))
    graded = grade_snapshot(snapshot(chain, at=NOW), chain, judge=TrustJudge(stores), at=NOW)
    assert (graded.grade, graded.deciding) == (Grade.A_PLUS, ())


@pytest.mark.parametrize(
    ("hint", "grade"),
    [(hint, Grade.A_PLUS if hint is WeakKeyHint.EXPONENT_SMALL else Grade.F) for hint in WeakKeyHint],
)
def test_known_weak_keys(hint: WeakKeyHint, grade: Grade) -> None:
    given = snapshot(CHAIN, at=NOW)
    facts = given.chain[0].model_copy(update={"weak_key": (hint,)})
    weak = given.model_copy(update={"chain": (facts, *given.chain[1:])})
    assert grade_snapshot(weak, CHAIN, judge=TrustJudge(STORES), at=NOW).grade is grade


def test_a_bad_staple_is_worse_where_one_is_demanded() -> None:
    bad = StapleFacts(present=True, parse_error="not DER")
    graded = card(chain=leaf(NOW - timedelta(days=1), 90, must_staple=True), staple=bad)
    assert (graded.grade, graded.deciding) == (Grade.C, ("house.stapling",))
    assert "nor does it name a responder" in next(f.evidence for f in graded.findings if f.rule == "house.stapling")


def test_an_accepted_hybrid_group_is_enough_and_pure_ones_and_drafts_are_not() -> None:
    def letter(*groups: str) -> Grade | None:
        return card(posture(GCM, groups=GroupsPosture(groups=groups)), group="x25519").grade

    assert letter("x25519", "SecP256r1MLKEM768") is Grade.A_PLUS
    assert letter("x25519", "MLKEM768") is letter("X25519Kyber768Draft00") is Grade.A


def test_until_the_first_enumeration_the_card_is_provisional() -> None:
    assert card().provisional
    handshakes_only = target().model_copy(update={"probing": Probing.HANDSHAKE_ONLY})
    assert not card(target=handshakes_only).provisional


def test_a_throttled_enumeration_claims_nothing() -> None:
    throttled = posture(RSA, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", dh_bits=512, throttled=True)
    before, after = card(), card(throttled)
    assert (after.grade, after.findings, after.provisional) == (before.grade, before.findings, True)


def test_the_letter_is_that_of_the_worst_address_and_not_of_their_union() -> None:
    first, second = posture(GCM, RSA, address="127.0.0.1"), posture(CBC, tls13=False, address="127.0.0.2")
    union = posture(GCM, RSA, CBC)
    graded = card(union, address_postures=(first, second))
    assert (graded.grade, graded.deciding) == (Grade.B, (AEAD,))
    said = next(one for one in graded.findings if one.rule == "house.addresses-differ")
    assert said.level is FindingLevel.INFO
    assert said.evidence == "127.0.0.1, 127.0.0.2 differ; this card is of 127.0.0.2, the worst"
    alike = card(union, address_postures=(first, second.model_copy(update={"throttled": True})))
    assert alike.grade is Grade.A_MINUS


def test_weaknesses_of_different_addresses_do_not_add_up() -> None:
    """One address prefers RSA for want of order, another has the order: the union would have both at once."""
    first = posture(GCM, RSA, order=SuiteOrder.CLIENT, address="127.0.0.1")
    graded = card(posture(RSA, GCM), address_postures=(first, posture(GCM, CBC, address="127.0.0.2")))
    assert graded.grade is Grade.A_MINUS


def test_the_way_up_begins_with_the_worst_and_ends_with_a_plus() -> None:
    graded = card(posture(GCM, RSA, compression=Support.ACCEPTED), group="x25519", hostname="other.acme.test")
    assert (graded.grade, graded.posture_grade) == (Grade.F, Grade.C)
    assert graded.deciding == ("rfc9525.name-matches",)
    assert [(step.rule, step.grade_then) for step in graded.to_improve] == [
        ("rfc9525.name-matches", Grade.C),
        (COMPRESSION, Grade.A_MINUS),
        (KEX, Grade.A),
        ("house.post-quantum", Grade.A_PLUS),
    ]
    assert all(step.fix for step in graded.to_improve)
