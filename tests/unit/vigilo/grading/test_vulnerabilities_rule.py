"""A hole that was seen open is an F with the way out; what is safe or not known never moves the letter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.fakes.pki import Authority
from tests.fakes.snapshots import snapshot
from vigilo.events.cards import Finding, FindingLevel, Grade, ReportCard
from vigilo.events.posture import Exposure, Posture, Vulnerability
from vigilo.grading.card import grade_snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores
from vigilo.tls.vulnerabilities.finding import Hole

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Holes")
CHAIN = AUTHORITY.leaf("api.acme.test").chain_der
JUDGE = TrustJudge(TrustStores(public=AnchorSet("test-roots", (AUTHORITY.root.certificate,))))
RULE = "house.vulnerabilities"


def card(**exposures: Exposure) -> ReportCard:
    holes = tuple(
        Vulnerability(name=name.replace("_", "-"), exposure=exposure, evidence="did something")
        for name, exposure in exposures.items()
    )
    posture = Posture(vulnerabilities=holes)
    return grade_snapshot(snapshot(CHAIN, at=NOW, posture=posture), CHAIN, judge=JUDGE, at=NOW)


def finding(of: ReportCard) -> Finding | None:
    return next((one for one in of.findings if one.rule == RULE), None)


@pytest.mark.parametrize(
    ("hole", "words"),
    [
        (Hole.HEARTBLEED, ("Heartbleed (CVE-2014-0160)", "replace keys and certificates")),
        (Hole.CCS, ("CCS injection (CVE-2014-0224)", "1.0.1h or later")),
        (Hole.TICKETBLEED, ("Ticketbleed (CVE-2016-9244)", "switch session tickets off")),
        (Hole.ROBOT, ("ROBOT", "switch off the suites TLS_RSA_*")),
    ],
)
def test_every_open_hole_is_an_f_with_its_name_and_its_fix(hole: Hole, words: tuple[str, str]) -> None:
    graded = card(**{hole.replace("-", "_"): Exposure.VULNERABLE})
    found = finding(graded)
    assert found is not None
    assert (graded.grade, found.cap, found.level) == (Grade.F, Grade.F, FindingLevel.FAILURE)
    assert all(one in found.evidence for one in words)


def test_safe_and_unknown_never_move_the_letter() -> None:
    without = card()
    assert finding(without) is None
    safe, unknown = card(heartbleed=Exposure.SAFE, robot=Exposure.SAFE), card(heartbleed=Exposure.UNKNOWN)
    for graded, level in ((safe, FindingLevel.GOOD), (unknown, FindingLevel.UNKNOWN)):
        found = finding(graded)
        assert found is not None
        assert (found.level, found.cap, graded.grade) == (level, None, without.grade)


def test_a_hole_of_a_later_scanner_is_judged_all_the_same() -> None:
    assert card(next_years_hole=Exposure.VULNERABLE).grade is Grade.F
    assert card(next_years_hole=Exposure.SAFE).grade is card().grade
