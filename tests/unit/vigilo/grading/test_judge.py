"""Trust verdicts are cached, and change exactly at the instants at which validity begins or ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.pki import Authority, Options, ed25519_key
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create()
STORES = TrustStores(public=AnchorSet("test", (AUTHORITY.root.certificate,)))
LEAF = AUTHORITY.leaf("a.test", options=Options(not_before=NOW, lifetime=timedelta(days=10)))


@given(st.lists(st.integers(-3 * 86_400, 13 * 86_400), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_the_cache_never_changes_a_verdict(seconds: list[int]) -> None:
    cached = TrustJudge(STORES)
    for moment in (NOW + timedelta(seconds=offset) for offset in seconds):
        fresh = TrustJudge(STORES).judge(LEAF.chain_der, TrustDomain.PUBLIC, at=moment)
        assert cached.judge(LEAF.chain_der, TrustDomain.PUBLIC, at=moment) == fresh


def test_a_verdict_flips_when_the_leaf_expires() -> None:
    judge = TrustJudge(STORES)
    end = NOW + timedelta(days=10)
    assert judge.judge(LEAF.chain_der, TrustDomain.PUBLIC, at=end - timedelta(seconds=1)).trusted is Verdict.YES
    after = judge.judge(LEAF.chain_der, TrustDomain.PUBLIC, at=end + timedelta(seconds=1))
    assert (after.trusted, after.reason, after.depth) == (Verdict.NO, TrustReason.EXPIRED, 0)


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=3))
def test_bytes_that_are_no_certificate_are_unknown(chain: list[bytes]) -> None:
    verdict = TrustJudge(STORES).judge(chain, TrustDomain.PUBLIC, at=NOW)
    assert (verdict.trusted, verdict.reason) == (Verdict.UNKNOWN, TrustReason.UNREADABLE)


def test_a_network_where_an_address_belongs_is_a_constraint() -> None:
    odd = x509.SubjectAlternativeName([x509.IPAddress(ip_network("192.0.2.0/24"))])
    leaf = AUTHORITY.leaf(options=Options(common_name="odd", extensions=((odd, False),)))
    verdict = TrustJudge(STORES).judge(leaf.chain_der, TrustDomain.PUBLIC, at=NOW)
    assert (verdict.trusted, verdict.reason) == (Verdict.NO, TrustReason.CONSTRAINT)


def test_a_key_that_no_browser_takes_is_for_private_chains_only() -> None:
    leaf = AUTHORITY.leaf("a.test", options=Options(key=ed25519_key()))
    both = TrustJudge(TrustStores(public=STORES.public, private=STORES.public))
    public, private = (
        both.judge(leaf.chain_der, domain, at=NOW) for domain in (TrustDomain.PUBLIC, TrustDomain.PRIVATE)
    )
    assert (public.trusted, public.reason) == (Verdict.NO, TrustReason.CONSTRAINT)
    assert private.trusted is Verdict.YES
