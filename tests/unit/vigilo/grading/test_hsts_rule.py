from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Finding, FindingLevel, Grade
from vigilo.events.facts import HstsFacts
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC)
AUTHORITY = Authority.create("Hsts")
LEAF = AUTHORITY.leaf("api.acme.test")
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))


def line(hsts: HstsFacts | None) -> Finding | None:
    card = grade_snapshot(snapshot(LEAF.chain_der, at=NOW, hsts=hsts), LEAF.chain_der, judge=JUDGE, at=NOW)
    found = next((finding for finding in card.findings if finding.rule == "house.hsts"), None)
    assert card.grade is ((found and found.cap) or Grade.A_PLUS)
    return found


@pytest.mark.parametrize(
    ("hsts", "level", "words", "cap"),
    [
        (HstsFacts(present=True, status=200, max_age=31536000), FindingLevel.GOOD, "for 365 days", None),
        (
            HstsFacts(present=True, max_age=15552000, include_subdomains=True),
            FindingLevel.GOOD,
            "with subdomains",
            None,
        ),
        (HstsFacts(present=True, max_age=15551999), FindingLevel.WARNING, "less than 180 days", Grade.A),
        (HstsFacts(present=True, max_age=0), FindingLevel.WARNING, "forget", Grade.A_MINUS),
        (
            HstsFacts(present=True, parse_error="there is no max-age"),
            FindingLevel.WARNING,
            "ignore the header",
            Grade.A_MINUS,
        ),
        (HstsFacts(present=False, status=301), FindingLevel.WARNING, "no Strict-Transport-Security", Grade.A_MINUS),
        (HstsFacts(status=403, parse_error="status 403"), FindingLevel.UNKNOWN, "status 403", Grade.A),
    ],
)
def test_hsts_is_a_line_and_a_condition_of_a_plus(
    hsts: HstsFacts, level: FindingLevel, words: str, cap: Grade | None
) -> None:
    finding = line(hsts)
    assert finding is not None
    assert (finding.level, finding.cap) == (level, cap)
    assert words in finding.evidence


def test_where_it_was_no_question_there_is_no_line() -> None:
    assert line(None) is None
