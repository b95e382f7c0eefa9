"""A snapshot keeps a hundred names of a certificate; the verdict on the name asked for looks at all of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Verdict
from vigilo.grading.inspection import inspect
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

AUTHORITY = Authority.create()
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test", (AUTHORITY.root.certificate,))))
LEAF = AUTHORITY.leaf(*(f"n{number}.acme.test" for number in range(150)))


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [("n3.acme.test", Verdict.YES), ("n149.acme.test", Verdict.YES), ("n150.acme.test", Verdict.NO)],
)
def test_names_beyond_the_cap_count(asked: str, verdict: Verdict) -> None:
    seen = snapshot(LEAF.chain_der, hostname=asked)
    assert len(seen.chain[0].san) < 150
    assert inspect(seen, LEAF.chain_der, JUDGE, at=datetime.now(UTC)).name_matches is verdict


def test_without_the_bytes_names_beyond_the_cap_are_unknown() -> None:
    seen = snapshot(LEAF.chain_der, hostname="n149.acme.test")
    assert inspect(seen, None, JUDGE, at=datetime.now(UTC)).name_matches is Verdict.UNKNOWN
