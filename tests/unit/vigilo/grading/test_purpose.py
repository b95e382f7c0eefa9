"""A certificate that says it is for something else is no server's, whoever signed it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.fakes.pki import Authority, Options
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

AUTHORITY = Authority.create()
ANCHORS = AnchorSet("test", (AUTHORITY.root.certificate,))
JUDGE = TrustJudge(TrustStores(public=ANCHORS, private=ANCHORS))
CLIENT, ANY, SERVER = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    ExtendedKeyUsageOID.SERVER_AUTH,
)


@pytest.mark.parametrize(
    ("purposes", "trusted"), [(None, "yes"), ((SERVER, CLIENT), "yes"), ((CLIENT,), "no"), ((ANY,), "no")]
)
def test_only_servers_certificates_pass(purposes: tuple[x509.ObjectIdentifier, ...] | None, trusted: str) -> None:
    leaf = AUTHORITY.leaf("a.test", options=Options(eku=purposes))
    verdict = JUDGE.judge(leaf.chain_der, TrustDomain.PRIVATE, at=datetime.now(UTC))
    assert verdict.trusted == trusted
    if trusted == "no":
        assert (verdict.reason, verdict.depth) == (TrustReason.CONSTRAINT, 0)
        assert verdict.certificate_sha256 is not None


def test_a_key_that_only_signs_certificates_serves_nobody() -> None:
    only_signs = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
    leaf = AUTHORITY.leaf("a.test", options=Options(key_usage=False, extensions=((only_signs, True),)))
    verdict = JUDGE.judge(leaf.chain_der, TrustDomain.PRIVATE, at=datetime.now(UTC))
    assert (verdict.trusted, verdict.reason) == (Verdict.NO, TrustReason.CONSTRAINT)
