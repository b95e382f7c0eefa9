from __future__ import annotations

import base64

from tests.fakes import pki
from vigilo.events.scans import CHAIN_MAX
from vigilo.tls.chain import CHAIN_DER_MAX, ChainFacts, describe_chain

CHAIN = pki.Authority.create().leaf("a.test").chain_der


def test_a_chain_is_kept_leaf_first_with_its_bytes() -> None:
    seen = describe_chain(CHAIN)
    assert [one.subject for one in seen.certificates] == ["CN=a.test", "CN=Test CA"]
    assert seen.count == 2
    assert seen.der is not None
    assert tuple(base64.b64decode(one) for one in seen.der) == CHAIN


def test_bytes_the_asker_holds_are_not_sent_again() -> None:
    held = tuple(one.fingerprint_sha256 for one in describe_chain(CHAIN).certificates)
    same = describe_chain(CHAIN, baseline_sha256=held)
    assert (same.der, same.der_omitted) == (None, "same as baseline")
    assert describe_chain(CHAIN[:1], baseline_sha256=held).der is not None
    assert describe_chain(CHAIN, baseline_sha256=held[::-1]).der is not None


def test_a_huge_chain_is_described_without_its_bytes() -> None:
    huge = (*CHAIN, bytes(CHAIN_DER_MAX))
    seen = describe_chain(huge)
    assert (seen.count, seen.der, seen.der_omitted) == (3, None, "too large")


def test_a_long_chain_is_counted_whole_and_listed_in_part() -> None:
    seen = describe_chain(CHAIN * 40)
    assert (len(seen.certificates), seen.count) == (CHAIN_MAX, 80)
    assert seen.der is not None
    assert len(seen.der) == CHAIN_MAX


def test_no_chain_is_no_chain() -> None:
    assert describe_chain(()) == ChainFacts()
