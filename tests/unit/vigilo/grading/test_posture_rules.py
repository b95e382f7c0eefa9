"""What the measured posture does to the letter; without one the card is as before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import FindingLevel, Grade, ReportCard
from vigilo.events.posture import Posture, Support, VersionPosture
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Posture")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
GOOD = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
PROTOCOL, SUITES = "rfc8996.protocol-version", "rfc9325.cipher-suites"


def posture(*old: str, suites: tuple[str, ...] = (GOOD,), unknown: tuple[str, ...] = ()) -> Posture:
    accepted = {*old, "TLSv1.2", "TLSv1.3"}

    def one(version: str) -> VersionPosture:
        if version in unknown:
            return VersionPosture(version=version)
        if version not in accepted:
            return VersionPosture(version=version, support=Support.REJECTED, complete=True)
        return VersionPosture(version=version, support=Support.ACCEPTED, suites=suites, complete=True)

    return Posture(versions=tuple(one(version) for version in VERSIONS))


def card(**fields: Any) -> ReportCard:
    chain = AUTHORITY.leaf("api.acme.test").chain_der
    return grade_snapshot(snapshot(chain, at=NOW, **fields), chain, judge=JUDGE, at=NOW)


def finding(of: ReportCard, rule: str) -> tuple[FindingLevel, Grade | None, str]:
    found = next(one for one in of.findings if one.rule == rule)
    return found.level, found.cap, found.evidence


@pytest.mark.parametrize(
    ("old", "cap"),
    [
        (("TLSv1.0",), Grade.C),
        (("TLSv1.1",), Grade.C),
        (("SSLv3", "TLSv1.0"), Grade.F),
        (("SSLv2",), Grade.F),
    ],
)
def test_old_versions_beside_newer_ones(old: tuple[str, ...], cap: Grade) -> None:
    graded = card(posture=posture(*old))
    level, found_cap, evidence = finding(graded, PROTOCOL)
    assert (level, found_cap) == (FindingLevel.FAILURE, cap)
    assert evidence == f"{', '.join(old)} accepted beside TLSv1.3"
    assert graded.grade is cap


def test_no_old_version_is_said_only_when_all_were_refused() -> None:
    assert finding(card(posture=posture()), PROTOCOL) == (
        FindingLevel.GOOD,
        None,
        "TLSv1.3 is offered, nothing below TLS 1.2",
    )
    assert finding(card(posture=posture(unknown=("TLSv1.0",))), PROTOCOL)[2] == "TLSv1.3 is offered"
    assert finding(card(), PROTOCOL)[2] == "TLSv1.3 is offered"


def test_the_best_version_decides_first() -> None:
    assert card(tls_version="TLSv1.1", posture=posture("TLSv1.1")).grade is Grade.F


@pytest.mark.parametrize(
    ("suite", "cap"),
    [
        ("TLS_RSA_WITH_NULL_SHA", Grade.F),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA", Grade.F),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", Grade.F),
        ("TLS_RSA_WITH_DES_CBC_SHA", Grade.F),
        ("TLS_RSA_WITH_RC4_128_SHA", Grade.C),
        ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", Grade.C),
        ("TLS_RSA_WITH_IDEA_CBC_SHA", Grade.C),
    ],
)
def test_weak_suites(suite: str, cap: Grade) -> None:
    level, found_cap, evidence = finding(card(posture=posture(suites=(GOOD, suite))), SUITES)
    assert (level, found_cap) == (FindingLevel.FAILURE, cap)
    assert suite in evidence


@pytest.mark.parametrize("suite", [GOOD, "TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"])
def test_other_suites_cap_nothing(suite: str) -> None:
    level, cap, evidence = finding(card(posture=posture(suites=(suite,))), SUITES)
    assert (level, cap, evidence) == (FindingLevel.GOOD, None, "1 accepted, none of them weak")


def test_what_is_not_known_is_neither_good_nor_bad() -> None:
    assert SUITES not in {one.rule for one in card().findings}
    level, cap, _ = finding(card(posture=posture(unknown=("TLSv1.0",))), SUITES)
    assert (level, cap) == (FindingLevel.UNKNOWN, None)
    assert card(posture=posture(unknown=("TLSv1.0",))).grade is card().grade
