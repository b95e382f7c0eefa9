"""What is said and moves no letter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.pki import Authority, Options
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import ChainShape, SctFacts, SctSource, StarttlsFacts
from vigilo.events.posture import Posture, Support, VersionPosture
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
AUTHORITY = Authority.create("Lines")
BARE = AUTHORITY.leaf("api.acme.test").chain_der
WITH_OCSP = AUTHORITY.leaf("api.acme.test", options=Options(ocsp_url="http://ocsp.acme.test/")).chain_der
SCTS = tuple(SctFacts(log_id=digit * 64, source=SctSource.EMBEDDED) for digit in "ab")
STORES = TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,)))
GOOD, INFO, WARNING, UNKNOWN = FindingLevel.GOOD, FindingLevel.INFO, FindingLevel.WARNING, FindingLevel.UNKNOWN
SCSV, EMS = "rfc7507.fallback", "rfc7627.extended-master-secret"


def accepting(*names: str, **fields: Support) -> Posture:
    suites = {"TLSv1.3": ("TLS_AES_128_GCM_SHA256",)}
    gcm = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",)
    versions = tuple(
        VersionPosture(version=name, support=Support.ACCEPTED, suites=suites.get(name, gcm), complete=True)
        for name in names
    )
    return Posture(versions=versions, **fields)


def said(rule: str, chain: tuple[bytes, ...] = BARE, **fields: Any) -> tuple[FindingLevel, str] | None:
    card = grade_snapshot(snapshot(chain, at=NOW, **fields), chain, judge=TrustJudge(STORES), at=NOW)
    assert card.grade is Grade.A_PLUS
    return next(((one.level, one.evidence) for one in card.findings if one.rule == rule), None)


@pytest.mark.parametrize(
    ("rule", "fields", "level", "words"),
    [
        ("rfc5246.chain-order", {"chain_shape": ChainShape()}, GOOD, "in order, and nothing else"),
        ("rfc5246.chain-order", {"chain_shape": ChainShape(in_order=False)}, WARNING, "are not in order"),
        ("rfc5246.chain-order", {"chain_shape": ChainShape(extra=(2,), duplicates=(3,))}, WARNING,
         "1 belong to no path from the leaf; 1 are served twice"),
        ("rfc6962.timestamps", {}, WARNING, "0 signed certificate timestamps"),
        ("rfc6962.timestamps", {"scts": SCTS[:1]}, WARNING, "1 signed certificate timestamps"),
        ("rfc6962.timestamps", {"scts": SCTS}, GOOD, "2 signed certificate timestamps"),
        ("cabf-br.revocation-source", {}, WARNING, "neither a CRL nor an OCSP responder"),
        ("cabf-br.revocation-source", {"chain": WITH_OCSP}, GOOD, "by OCSP"),
        (EMS, {"posture": accepting("TLSv1.2", extended_master_secret=Support.ACCEPTED)}, GOOD, "is used"),
        (EMS, {"posture": accepting("TLSv1.2", extended_master_secret=Support.REJECTED)}, INFO, "is not used"),
        (EMS, {"posture": accepting("TLSv1.2")}, UNKNOWN, "is not known"),
        (SCSV, {"posture": accepting("TLSv1.2", "TLSv1.3", fallback_scsv=Support.ACCEPTED)}, GOOD, "is refused"),
        (SCSV, {"posture": accepting("TLSv1.2", "TLSv1.3", fallback_scsv=Support.REJECTED)}, INFO, "is not refused"),
        (SCSV, {"posture": accepting("TLSv1.2", "TLSv1.3")}, UNKNOWN, "is not known"),
        ("rfc3207.early-bytes", {"starttls": StarttlsFacts()}, GOOD, "nothing in the clear"),
        ("rfc3207.early-bytes", {"starttls": StarttlsFacts(early_bytes=7)}, WARNING, "7 bytes in the clear"),
    ],
)  # fmt: skip
def test_a_line_of_its_own_and_the_letter_stays(
    rule: str, fields: dict[str, Any], level: FindingLevel, words: str
) -> None:
    found = said(rule, **fields)
    assert found is not None
    assert found[0] is level
    assert words in found[1]


def test_no_line_where_it_is_no_question() -> None:
    assert said("rfc5246.chain-order") is None
    assert said("rfc3207.early-bytes") is None
    only_newest = accepting("TLSv1.3")
    assert said(EMS, posture=only_newest) is None
    assert said(SCSV, posture=only_newest) is None


def test_private_chains_owe_nothing_to_public_rules() -> None:
    elsewhere = AnchorSet("elsewhere", (Authority.create("Elsewhere").root.certificate,))
    stores = TrustStores(public=elsewhere, private=AnchorSet("acme", (AUTHORITY.root.certificate,)))
    card = grade_snapshot(snapshot(BARE, at=NOW), BARE, judge=TrustJudge(stores), at=NOW)
    public = {"rfc6962.timestamps", "cabf-br.revocation-source", "cabf-br.lifetime"}
    assert public.isdisjoint(finding.rule for finding in card.findings)
