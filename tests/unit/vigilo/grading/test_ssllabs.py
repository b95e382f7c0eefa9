"""Letters of ssllabs-compatible-2009r, each argued from the rating guide and its posts, not from our output."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from tests.fakes.pki import Authority, Options, rsa_key
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import FindingLevel, Grade, ReportCard, Special
from vigilo.events.facts import CertificateFacts, HstsFacts, KeyAlgorithm, WeakKeyHint
from vigilo.events.posture import (
    Exposure,
    GroupsPosture,
    Posture,
    SuiteOrder,
    Support,
    VersionPosture,
    Vulnerability,
)
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import SSLLABS_COMPATIBLE_2009R, VIGILO_2026, rulebook
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALL = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
T13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")
GCM = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
CBC = ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA")
RSA_GCM, RSA_CBC = "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"
DES3, RC4 = "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA"
YEAR, MONTH = 31_536_000, 2_592_000


@cache
def authority() -> Authority:
    return Authority.create("Rated")


@cache
def judge() -> TrustJudge:
    return TrustJudge(TrustStores(public=AnchorSet("test", (authority().root.certificate,))))


@cache
def served(host: str = "api.acme.test", age_days: int = 1) -> tuple[bytes, ...]:
    begun = NOW - timedelta(days=age_days)
    return authority().leaf(host, options=Options(key=rsa_key(), not_before=begun)).chain_der


def posture(
    versions: dict[str, tuple[str, ...]] | None = None,
    order: SuiteOrder = SuiteOrder.SERVER,
    unknown: tuple[str, ...] = (),
    **fields: object,
) -> Posture:
    accepted = {"TLSv1.3": T13, "TLSv1.2": GCM} if versions is None else versions
    groups = GroupsPosture(groups=("x25519", "secp256r1"), complete=True, order=SuiteOrder.SERVER)
    given = {
        "groups": groups,
        "groups_tls12": groups,
        "compression": Support.REJECTED,
        "secure_renegotiation": Support.ACCEPTED,
        **fields,
    }
    return Posture.model_validate(
        {
            "versions": tuple(
                VersionPosture(version=one, support=Support.ACCEPTED, suites=accepted[one], complete=True, order=order)
                if one in accepted
                else VersionPosture(version=one)
                if one in unknown
                else VersionPosture(version=one, support=Support.REJECTED, complete=True)
                for one in ALL
            ),
            **given,
        }
    )


def card(
    found: Posture | None,
    *,
    max_age: int | None = YEAR,
    leaf: dict[str, object] | None = None,
    chain: tuple[bytes, ...] | None = None,
    https: bool = True,
    book: str = "ssllabs-compatible-2009r",
) -> ReportCard:
    chain = served() if chain is None else chain
    hsts = HstsFacts(present=max_age is not None, max_age=max_age) if https else None
    newest = max(found.supporting(Support.ACCEPTED)) if found is not None else "TLSv1.3"
    given = snapshot(chain, at=NOW, posture=found, hsts=hsts, tls_version=newest, group="x25519")
    if leaf is not None:
        changed = CertificateFacts.model_validate({**given.chain[0].model_dump(), **leaf})
        given = given.model_copy(update={"chain": (changed, *given.chain[1:])})
    return grade_snapshot(given, chain, judge=judge(), at=NOW, rulebook=rulebook(book))


@pytest.mark.parametrize(
    ("found", "letter", "deciding"),
    [
        # 93 points, no cap, HSTS of a year: A+.
        (posture(), "A+", None),
        (posture({"TLSv1.3": T13}), "A+", None),
        # A version that was not answered is not held against anybody.
        (posture(unknown=("TLSv1.0", "TLSv1.1")), "A+", None),
        # Protocols.
        (posture({"TLSv1.2": GCM}), "A-", "newest-version"),
        (posture({"TLSv1.3": T13, "TLSv1.2": GCM, "TLSv1.1": CBC}), "B", "old-tls"),
        (posture({"TLSv1.3": T13, "TLSv1.2": GCM, "TLSv1.0": CBC}), "B", "old-tls"),
        (posture({"TLSv1.1": CBC, "TLSv1.0": CBC}), "C", "newest-version"),
        (posture({"TLSv1.0": CBC}), "C", "newest-version"),
        (posture({"TLSv1.3": T13, "TLSv1.2": GCM, "SSLv3": (RC4,)}), "B", "ssl3"),
        (posture({"TLSv1.3": T13, "TLSv1.2": GCM, "SSLv3": (RSA_CBC,)}), "C", "ssl3"),
        (posture({"SSLv3": (RSA_CBC,)}), "F", "ssl3"),
        (posture({"TLSv1.3": T13, "TLSv1.2": GCM, "SSLv2": ()}), "F", "ssl2"),
        # Suites that protect nothing, whoever would choose them.
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, "TLS_RSA_WITH_NULL_SHA")}), "F", "weak-suites"),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, "TLS_RSA_EXPORT_WITH_RC4_40_MD5")}), "F", "weak-suites"),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, "TLS_DH_anon_WITH_AES_128_CBC_SHA")}), "F", "weak-suites"),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, "TLS_RSA_WITH_DES_CBC_SHA")}), "F", "weak-suites"),
        # RC4: C with TLS 1.1 and newer, B when clients meet it with old protocols at most.
        (posture({"TLSv1.2": (RC4,)}), "C", "rc4"),
        (posture({"TLSv1.2": (RC4, *GCM)}), "C", "rc4"),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, *CBC), "TLSv1.0": (RC4,)}), "B", "rc4"),
        # 3DES: C where it is chosen, even by a server of TLS 1.2 alone (testssl.sh looks at TLS 1.1 only).
        (posture({"TLSv1.2": (DES3, *GCM)}), "C", "short-blocks"),
        (posture({"TLSv1.2": (DES3,)}), "C", "short-blocks"),
        # Last in order and never chosen: no penalty.
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, *CBC, DES3)}), "A+", None),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, *CBC, DES3)}, order=SuiteOrder.CLIENT), "A+", None),
        # No AEAD: dead code in testssl.sh, B by the guide.
        (posture({"TLSv1.2": CBC}), "B", "authenticated-encryption"),
        # Forward secrecy, by what reference clients get: none, or less than they could.
        (posture({"TLSv1.2": (RSA_GCM, RSA_CBC)}), "B", "forward-secrecy"),
        (posture({"TLSv1.2": (RSA_GCM, *GCM)}), "B", "forward-secrecy"),
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, *CBC, RSA_CBC)}), "A+", None),
        # IE 11 cannot do better with this server: no penalty.
        (posture({"TLSv1.3": T13, "TLSv1.2": (*GCM, RSA_CBC)}), "A+", None),
        # DH parameters: testssl.sh never counts them.
        (posture(dh_bits=1024), "B", "key-size"),
        (posture(dh_bits=768), "F", "key-size"),
        (posture(dh_bits=2048), "A+", None),
        # CRIME, and renegotiation: the guide's F is for what was not tried.
        (posture(compression=Support.ACCEPTED), "C", "compression"),
        (posture(compression=Support.UNKNOWN), "A+", None),
        (posture(secure_renegotiation=Support.REJECTED), "A-", "renegotiation"),
        (posture(secure_renegotiation=Support.UNKNOWN), "A+", None),
        # TLS_FALLBACK_SCSV counts for nothing since 2009r.
        (posture(fallback_scsv=Support.REJECTED), "A+", None),
        (posture(vulnerabilities=(Vulnerability(name="robot", exposure=Exposure.VULNERABLE),)), "F", "vulnerabilities"),
        (posture(vulnerabilities=(Vulnerability(name="robot", exposure=Exposure.UNKNOWN),)), "A+", None),
        # Without an enumeration the one handshake is all that is known.
        (None, "A+", None),
    ],
)
def test_what_is_accepted(found: Posture | None, letter: str, deciding: str | None) -> None:
    graded = card(found)
    assert graded.grade is Grade(letter)
    assert (f"ssllabs.{deciding}" in graded.deciding) if deciding else not graded.deciding
    assert graded.special is None


@pytest.mark.parametrize(
    ("max_age", "letter"), [(YEAR, "A+"), (MONTH * 6, "A+"), (MONTH, "A"), (0, "A-"), (None, "A-")]
)
def test_hsts(max_age: int | None, letter: str) -> None:
    """Absent is A-: testssl.sh, whose header check is elsewhere, gives A+ without one."""
    assert card(posture(), max_age=max_age).grade is Grade(letter)


def test_without_http_there_is_no_a_plus() -> None:
    assert card(posture(), https=False).grade is Grade.A


@pytest.mark.parametrize(
    ("leaf", "letter", "special"),
    [
        ({"key_bits": 1024}, "B", None),
        ({"key_bits": 768}, "F", None),
        ({"key_bits": 4096}, "A+", None),
        ({"key_algorithm": KeyAlgorithm.EC, "key_bits": 256}, "A+", None),
        ({"weak_key": (WeakKeyHint.EXPONENT_ONE,)}, "F", None),
        ({"signature_algorithm": "md5WithRSAEncryption"}, "F", None),
        ({"signature_algorithm": "sha1WithRSAEncryption"}, "F", Special.T),
    ],
)
def test_certificates(leaf: dict[str, object], letter: str, special: Special | None) -> None:
    graded = card(posture(), leaf=leaf)
    assert (graded.grade, graded.special) == (Grade(letter), special)


def test_t_comes_before_m_and_the_posture_keeps_its_letter() -> None:
    """In testssl.sh the last one set wins."""
    assert (mismatch := card(posture(), chain=served("other.test"))).special is Special.M
    assert mismatch.grade is Grade.F
    assert mismatch.posture_grade is Grade.A_PLUS
    both = card(posture(), chain=served("other.test", 365))
    assert (both.grade, both.special) == (Grade.F, Special.T)
    assert card(posture(), chain=served(age_days=365)).special is Special.T


def test_a_missing_intermediate_is_b() -> None:
    leaf = authority().leaf("api.acme.test", options=Options(key=rsa_key(), ca_issuers_url="http://ca.test/ca.der"))
    graded = card(posture(), chain=leaf.chain_der[:1])
    assert graded.grade is Grade.B
    assert "ssllabs.incomplete-chain" in graded.deciding


def test_the_card_tells_what_clients_get() -> None:
    graded = card(posture())
    assert {one.name: one.suite for one in graded.clients}["Chrome 137"] == T13[0]
    assert len(graded.clients) == 12
    assert card(None).clients == ()
    assert card(posture(), book="vigilo-2026").clients == graded.clients


def test_every_rule_is_cited_and_named_after_its_book() -> None:
    ids = [rule.id for rule in SSLLABS_COMPATIBLE_2009R.rules]
    assert len(ids) == len(set(ids))
    assert all(identifier.startswith("ssllabs.") for identifier in ids)
    assert all(rule.citation and rule.fix for rule in SSLLABS_COMPATIBLE_2009R.rules)
    assert not set(ids) & {rule.id for rule in VIGILO_2026.rules}


def test_what_is_unknown_says_so() -> None:
    graded = card(posture(unknown=("TLSv1.1",)))
    levels = {finding.rule: finding.level for finding in graded.findings}
    assert levels["ssllabs.old-tls"] is FindingLevel.UNKNOWN
