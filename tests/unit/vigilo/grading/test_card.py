"""Report cards, one fault per case: the expected letter is argued from the rule, not from our output."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.pki import Authority, Issued, Options, ec_key, ed25519_key, issue, rsa_key
from tests.fakes.snapshots import failed, snapshot
from vigilo.events.cards import FindingLevel, Grade, ReportCard, TrustReason, Verdict
from vigilo.events.facts import CertificateStatus, StapleFacts, StapleStatus
from vigilo.events.hosts import Trust
from vigilo.events.scans import Outcome
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Card")
OTHER = Authority.create("Other")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))
OCSP = "http://ocsp.acme.test/"


def card_of(leaf: Issued, chain: tuple[bytes, ...] | None = None, **fields: Any) -> ReportCard:
    served = leaf.chain_der if chain is None else chain
    return grade_snapshot(snapshot(served, at=NOW, **fields), served, judge=JUDGE, at=NOW)


def good_leaf(**options: Any) -> Issued:
    return AUTHORITY.leaf("api.acme.test", options=Options(**options))


def level(card: ReportCard, rule: str) -> FindingLevel:
    return next(finding.level for finding in card.findings if finding.rule == rule)


@dataclass(frozen=True)
class Case:
    """One configuration with exactly one oddity, the letter it deserves, and the rule that decides it."""

    name: str
    grade: Grade
    rule: str | None
    leaf: dict[str, Any] = field(default_factory=dict)
    scan: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("nothing wrong", Grade.A_PLUS, None),
    Case("no post-quantum group", Grade.A, "house.post-quantum", scan={"group": "x25519"}),
    Case("group not measured", Grade.A, "house.post-quantum", scan={"group": None}),
    Case("no TLS 1.3", Grade.A_MINUS, "rfc8996.protocol-version", scan={"tls_version": "TLSv1.2"}),
    Case("TLS 1.1 at best", Grade.F, "rfc8996.protocol-version", scan={"tls_version": "TLSv1.1"}),
    Case("TLS 1.0 at best", Grade.F, "rfc8996.protocol-version", scan={"tls_version": "TLSv1"}),
    Case("RSA 1024", Grade.F, "cabf-br.key-size", leaf={"key": rsa_key(1024)}),
    Case("RSA 2048", Grade.A_PLUS, None, leaf={"key": rsa_key(2048)}),
    Case("must-staple without a staple", Grade.C, "house.stapling",
         leaf={"must_staple": True, "ocsp_url": OCSP}, scan={"staple": StapleFacts(present=False)}),
    Case("a responder but no staple", Grade.A_PLUS, None,
         leaf={"ocsp_url": OCSP}, scan={"staple": StapleFacts(present=False)}),
    Case("unreadable staple", Grade.B, "house.stapling",
         leaf={"ocsp_url": OCSP}, scan={"staple": StapleFacts(present=True, parse_error="not DER")}),
    Case("revoked", Grade.F, "house.stapling", leaf={"ocsp_url": OCSP},
         scan={"staple": StapleFacts(present=True, certificate_status=CertificateStatus.REVOKED, matches_leaf=True)}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_letter_is_argued_by_a_rule(case: Case) -> None:
    card = card_of(good_leaf(**case.leaf), **case.scan)
    assert card.grade is case.grade
    capping = {finding.rule for finding in card.findings if finding.cap is case.grade}
    assert (case.rule in capping) if case.rule else not capping


def test_an_expired_leaf_is_f_and_says_so_first() -> None:
    card = card_of(good_leaf(not_before=NOW - timedelta(days=91), lifetime=timedelta(days=90)))
    assert (card.grade, card.posture_grade) == (Grade.F, Grade.A_PLUS)
    assert (card.chain_valid, card.chain_reason) == (Verdict.NO, TrustReason.EXPIRED)
    assert level(card, "rfc5280.within-validity") is FindingLevel.FAILURE


def test_a_leaf_of_tomorrow_is_not_yet_valid() -> None:
    card = card_of(good_leaf(not_before=NOW + timedelta(days=1)))
    assert card.chain_reason is TrustReason.NOT_YET_VALID


def test_the_last_second_of_the_validity_is_inside_it() -> None:
    leaf = good_leaf(not_before=NOW - timedelta(days=90), lifetime=timedelta(days=90))
    assert card_of(leaf).chain_valid is Verdict.YES


def test_a_foreign_root_is_an_unknown_issuer() -> None:
    card = card_of(OTHER.leaf("api.acme.test"))
    assert (card.grade, card.chain_reason) == (Grade.F, TrustReason.UNKNOWN_ISSUER)
    assert card.trust[0].certificate_sha256 is not None


def test_a_missing_intermediate_that_the_leaf_points_to_is_an_incomplete_chain() -> None:
    leaf = good_leaf(ca_issuers_url="http://ca.acme.test/ca.der")
    assert card_of(leaf, (leaf.der,)).chain_reason is TrustReason.INCOMPLETE


def test_extra_certificates_never_fail_a_chain() -> None:
    leaf = good_leaf()
    assert card_of(leaf, (*leaf.chain_der, OTHER.root.der, AUTHORITY.root.der)).chain_valid is Verdict.YES


def test_a_self_signed_leaf_is_called_that() -> None:
    card = card_of(issue(Options(names=("api.acme.test",))))
    assert (card.grade, card.chain_reason) == (Grade.F, TrustReason.SELF_SIGNED)


def test_a_signature_by_another_key_is_bad() -> None:
    forged = Issued(AUTHORITY.intermediate.certificate, ec_key(), AUTHORITY.intermediate.issuers)
    leaf = issue(Options(names=("api.acme.test",), key_identifiers=False), forged)
    assert card_of(leaf).chain_reason is TrustReason.BAD_SIGNATURE


def test_a_leaf_used_as_issuer_breaks_a_constraint() -> None:
    below = issue(Options(names=("api.acme.test",)), good_leaf())
    card = card_of(below)
    assert (card.chain_valid, card.chain_reason) == (Verdict.NO, TrustReason.CONSTRAINT)


def test_what_only_the_web_pki_demands_fails_the_public_domain() -> None:
    card = card_of(good_leaf(key_identifiers=False))
    assert (card.chain_valid, card.chain_reason) == (Verdict.NO, TrustReason.CONSTRAINT)


def test_another_name_is_f_though_the_chain_validates() -> None:
    card = card_of(good_leaf(), hostname="other.acme.test")
    assert (card.grade, card.chain_valid, card.name_matches) == (Grade.F, Verdict.YES, Verdict.NO)


def test_the_sni_decides_the_name_when_there_is_one() -> None:
    given = snapshot(good_leaf().chain_der, at=NOW, hostname="127.0.0.1")
    with_sni = given.model_copy(update={"target": given.target.model_copy(update={"sni": "api.acme.test"})})
    chain = good_leaf().chain_der
    assert grade_snapshot(with_sni, chain, judge=JUDGE, at=NOW).name_matches is Verdict.YES


def test_a_chain_whose_bytes_are_not_known_is_unknown_and_keeps_its_letter() -> None:
    leaf = good_leaf()
    card = grade_snapshot(snapshot(leaf.chain_der, at=NOW), None, judge=JUDGE, at=NOW)
    assert (card.chain_valid, card.chain_reason, card.grade) == (
        Verdict.UNKNOWN, TrustReason.UNREADABLE, Grade.A_PLUS,
    )  # fmt: skip


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_a_failed_scan_has_a_card_without_a_letter(outcome: Outcome) -> None:
    card = grade_snapshot(failed(outcome, at=NOW), None, judge=JUDGE, at=NOW)
    assert (card.grade, card.outcome, card.chain_valid) == (None, outcome, Verdict.UNKNOWN)


def test_a_revoked_staple_fails_the_chain() -> None:
    staple = StapleFacts(present=True, certificate_status=CertificateStatus.REVOKED, matches_leaf=True)
    card = card_of(good_leaf(ocsp_url=OCSP), staple=staple)
    assert (card.chain_reason, card.staple_status) == (TrustReason.REVOKED, StapleStatus.REVOKED)


def test_private_anchors_accept_what_openssl_accepts() -> None:
    private = Authority.create("Private", key=ed25519_key())
    leaf = private.leaf("api.acme.test", options=Options(key_identifiers=False))
    judge = TrustJudge(
        TrustStores(
            public=AnchorSet("test-roots", (AUTHORITY.root.certificate,)),
            private=AnchorSet("acme", (private.intermediate.certificate,)),
        )
    )
    for trust, expected in ((Trust.ANY, Verdict.YES), (Trust.PRIVATE, Verdict.YES), (Trust.PUBLIC, Verdict.NO)):
        given = snapshot(leaf.chain_der, at=NOW, trust=trust)
        assert grade_snapshot(given, leaf.chain_der, judge=judge, at=NOW).chain_valid is expected


def test_the_same_arguments_give_the_same_bytes() -> None:
    leaf = good_leaf()
    given = snapshot(leaf.chain_der, at=NOW)
    cards = [
        grade_snapshot(given, leaf.chain_der, judge=TrustJudge(JUDGE.stores), at=NOW).model_dump_json()
        for _ in range(2)
    ]
    assert cards[0] == cards[1]
