"""A server that leaves out what it served before is told so, and graded all the same."""

from __future__ import annotations

from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding

from services.grader.decide import decide_snapshot
from tests.fakes.pki import Authority, Options, issue
from tests.fakes.snapshots import snapshot
from tests.unit.services.grader.hosts import AUTHORITY, JUDGE, NOW, Host
from vigilo.events.cards import Grade, TrustReason, Verdict
from vigilo.events.scans import Snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.missing import missing_issuers
from vigilo.tls.certificate import read_certificate

POINTING = Options(names=("api.acme.test",), ca_issuers_url="http://ca.test/ca.crt")
LEAF = AUTHORITY.leaf(options=POINTING)
CA = read_certificate(LEAF.chain_der[1])


def seen(*chain: bytes, number: int) -> Snapshot:
    return snapshot(chain, at=NOW + timedelta(minutes=number), number=number)


def test_what_was_served_before_is_named_and_the_verdict_stays() -> None:
    host = Host()
    host.sees(seen(*LEAF.chain_der, number=1))
    host.sees(seen(LEAF.der, number=2))
    whole, short = host.cards
    assert (whole.chain_valid, short.chain_valid, short.chain_reason) == (
        Verdict.YES,
        Verdict.NO,
        TrustReason.INCOMPLETE,
    )
    assert short.grade is Grade.F
    assert short.chain_detail is not None
    assert short.chain_detail.endswith(f"served before: {CA.subject}; with it the chain is trusted")


def test_it_is_found_for_a_new_leaf_too() -> None:
    host = Host()
    host.sees(seen(*LEAF.chain_der, number=1))
    host.sees(seen(AUTHORITY.leaf(options=POINTING).der, number=2))
    assert "with it the chain is trusted" in (host.cards[1].chain_detail or "")


def test_a_certificate_never_served_is_not_spoken_of() -> None:
    host = Host()
    host.sees(seen(LEAF.der, number=1))
    assert (host.cards[0].chain_reason, "known" in (host.cards[0].chain_detail or "")) == (
        TrustReason.INCOMPLETE,
        False,
    )


def test_another_key_of_the_same_name_is_not_what_is_missing() -> None:
    namesake = issue(Options(common_name=LEAF.issuers[0].subject.rfc4514_string()[3:], ca=True, eku=None))
    assert namesake.certificate.subject == LEAF.certificate.issuer
    host = Host()
    host.sees(seen(LEAF.der, namesake.der, number=1))
    host.sees(seen(LEAF.der, number=2))
    assert "known" not in (host.cards[1].chain_detail or "")


def test_what_is_known_and_leads_nowhere_is_not_called_trusted() -> None:
    stranger = Authority.create("Stranger").leaf(options=POINTING)
    host = Host()
    host.sees(seen(*stranger.chain_der, number=1))
    host.sees(seen(stranger.der, number=2))
    assert host.cards[1].chain_valid is Verdict.NO
    assert "served before" in (host.cards[1].chain_detail or "")
    assert "trusted" not in (host.cards[1].chain_detail or "")


def test_several_missing_certificates_are_found_nearest_first() -> None:
    lower = issue(Options(common_name="Lower", ca=True, eku=None), AUTHORITY.intermediate)
    leaf = issue(POINTING, lower)
    middle = lower.issuers[0].public_bytes(Encoding.DER)
    found = missing_issuers([leaf.der], read_certificate(leaf.der).fingerprint_sha256, [b"junk", middle, lower.der])
    assert [one.public_bytes(Encoding.DER) for one in found] == [lower.der, middle]


def test_the_same_rows_give_the_same_words_whatever_was_judged_before() -> None:
    host = Host()
    host.sees(seen(*LEAF.chain_der, number=1))
    given, fresh = seen(LEAF.der, number=2), TrustJudge(JUDGE.stores)
    alone = decide_snapshot(host.state, host.chains, given, judge=fresh, at=NOW)
    assert host.sees(given).outputs == alone.outputs
