"""A root may be trusted for old certificates and not for new ones; the leaf's own date decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes

from tests.fakes.pki import Authority, Issued, Options, issue
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust.distrust import Distrust, DistrustOverlay, Measure, parse_overlay
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

AFTER = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
NOW = datetime.now(UTC)
AUTHORITY = Authority.create()


def _sha256(issued: Issued) -> str:
    return issued.certificate.fingerprint(hashes.SHA256()).hex()


def _stores(*anchors: Issued, program: str = "Mozilla") -> TrustStores:
    row = Distrust(_sha256(AUTHORITY.root), "Test Root", program, AFTER, Measure.NOT_BEFORE, "test")
    public = AnchorSet("test", tuple(one.certificate for one in anchors))
    return TrustStores(public=public, distrust=DistrustOverlay("1", (row,)))


@pytest.mark.parametrize(("offset", "trusted"), [(0, Verdict.YES), (1, Verdict.NO)])
def test_the_leafs_date_decides_to_the_second(offset: int, trusted: Verdict) -> None:
    leaf = AUTHORITY.leaf("a.test", options=Options(not_before=AFTER + timedelta(seconds=offset)))
    verdict = TrustJudge(_stores(AUTHORITY.root)).judge(leaf.chain_der, TrustDomain.PUBLIC, at=NOW)
    assert verdict.trusted is trusted


def test_a_distrusted_root_is_named_with_its_program_and_depth() -> None:
    leaf = AUTHORITY.leaf("a.test")
    verdict = TrustJudge(_stores(AUTHORITY.root)).judge(leaf.chain_der, TrustDomain.PUBLIC, at=NOW)
    assert (verdict.reason, verdict.depth) == (TrustReason.DISTRUSTED, 2)
    assert verdict.certificate_sha256 == _sha256(AUTHORITY.root)
    assert "Mozilla trusts no certificate of Test Root" in (verdict.detail or "")


def test_another_path_to_a_root_nobody_gave_up_is_enough() -> None:
    other = Authority.create("Other")
    years = timedelta(days=3650)
    begins = datetime.now(UTC) - timedelta(days=100)
    crossed = issue(
        Options(common_name="Test Root", key=AUTHORITY.root.key, ca=True, not_before=begins, lifetime=years), other.root
    )
    leaf = AUTHORITY.leaf("a.test")
    chain = (*leaf.chain_der, crossed.der)
    judge = TrustJudge(_stores(AUTHORITY.root, other.root))
    assert judge.judge(chain, TrustDomain.PUBLIC, at=NOW).trusted is Verdict.YES
    assert judge.judge(leaf.chain_der, TrustDomain.PUBLIC, at=NOW).reason is TrustReason.DISTRUSTED


def test_the_shipped_table_names_its_sources_and_is_part_of_the_version() -> None:
    stores = load_trust_stores()
    assert stores.version.endswith(f"+distrust-{stores.distrust.version}")
    assert all(row.source and row.after.tzinfo is UTC for row in stores.distrust.rows)
    present = {row.subject for row in stores.distrust.rows if bytes.fromhex(row.root_sha256) in _public(stores)}
    # What certifi still ships; a root that leaves it may leave this line.
    assert {"HiPKI Root CA - G1", "Izenpe.com"} <= present


def test_a_table_without_time_zones_is_refused() -> None:
    row = 'root_sha256 = "00"\nsubject = "x"\nprogram = "p"\nafter = 2024-01-01T00:00:00\nmeasured_by = "not-before"'
    with pytest.raises(ValueError, match="time zone"):
        parse_overlay(f'version = "1"\n[[distrust]]\n{row}\nsource = "s"\n')


def _public(stores: TrustStores) -> frozenset[bytes]:
    return stores.public.fingerprints
