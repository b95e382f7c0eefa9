"""A good chain stays good among a crowd of cross-certificates, without anybody searching the crowd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.pki import Authority, Options, issue
from vigilo.events.cards import TrustDomain, TrustReason, Verdict
from vigilo.grading.trust.budget import by_subject, searchable, too_many_paths
from vigilo.grading.trust.judge import MAX_DEPTH, TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
AUTHORITY = Authority.create()
LEAF = AUTHORITY.leaf("a.test")
STRANGER = issue(Options(common_name="Test CA", ca=True))
CROWD = [issue(Options(common_name="Test CA", ca=True), STRANGER) for _ in range(12)]


def test_the_crowd_is_over_the_budget() -> None:
    others = searchable(LEAF.certificate, [*LEAF.chain[1:], *(one.certificate for one in CROWD)])
    anchors = by_subject([AUTHORITY.root.certificate])
    assert too_many_paths(LEAF.certificate, others, anchors, max_depth=MAX_DEPTH) is not None


@pytest.mark.parametrize(("later", "trusted"), [(timedelta(0), Verdict.YES), (timedelta(days=200), Verdict.UNKNOWN)])
def test_only_a_good_straight_path_counts(later: timedelta, trusted: Verdict) -> None:
    judge = TrustJudge(TrustStores(public=AnchorSet("test", (AUTHORITY.root.certificate,))))
    chain = [*LEAF.chain_der, *(one.der for one in CROWD)]
    verdict = judge.judge(chain, TrustDomain.PUBLIC, at=NOW + later)
    assert verdict.trusted is trusted
    assert verdict.reason is (None if trusted is Verdict.YES else TrustReason.TOO_COMPLEX)


def test_nor_does_a_straight_path_to_a_stranger() -> None:
    judge = TrustJudge(TrustStores(public=AnchorSet("test", (Authority.create("Other").root.certificate,))))
    verdict = judge.judge([*LEAF.chain_der, *(one.der for one in CROWD)], TrustDomain.PUBLIC, at=NOW)
    assert (verdict.trusted, verdict.reason) == (Verdict.UNKNOWN, TrustReason.TOO_COMPLEX)
