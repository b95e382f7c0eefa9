"""What another rulebook or trust store would say: compared scan by scan with the cards that were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.grader.regrade import Known, Regrading, known
from tests.fakes.pki import Authority
from tests.fakes.snapshots import WORKSPACE, failed, snapshot
from vigilo.events.cards import Grade
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import VIGILO_2026
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

NOW = datetime.now(UTC).replace(microsecond=0)
AUTHORITY = Authority.create("Regrade")
LEAF = AUTHORITY.leaf("api.acme.test")
TRUSTING = TrustJudge(TrustStores(public=AnchorSet("trusting", (AUTHORITY.root.certificate,))))
DOUBTING = TrustJudge(TrustStores(public=AnchorSet("doubting", (Authority.create("Other").root.certificate,))))
WITHOUT_TRUST = replace(
    VIGILO_2026, name="without-trust", rules=tuple(rule for rule in VIGILO_2026.rules if rule.posture)
)


def scan(number: int, **fields: Any) -> Snapshot:
    return snapshot(LEAF.chain_der, at=NOW + timedelta(minutes=number), number=number, **fields)


def card_of(given: Snapshot, judge: TrustJudge) -> Known:
    """What the grader wrote of it, by that judge."""
    return known(grade_snapshot(given, LEAF.chain_der, judge=judge, at=given.finished_at))


def regrading(judge: TrustJudge, **fields: Any) -> Regrading:
    return Regrading(**{"rulebook": VIGILO_2026, "judges": lambda _: judge, "since": NOW, **fields})


def test_a_trust_store_that_knows_the_issuer_lifts_the_letter_and_says_by_what() -> None:
    again = regrading(TRUSTING)
    again.take(scan(1), card_of(scan(1), DOUBTING))
    report = again.report(until=NOW)
    (change,) = report.changed
    assert change.before.grade is Grade.F
    assert "rfc5280.chain-validates" in change.before.deciding
    assert change.before.trust_store == "doubting"
    assert change.after.grade is not None and change.after.grade.rank < Grade.F.rank
    assert "rfc5280.chain-validates" not in change.after.deciding
    assert (report.hosts.before["F"], report.hosts.after["F"]) == (1, 0)


def test_the_deciding_evidence_is_that_of_the_new_letter() -> None:
    again = regrading(DOUBTING)
    again.take(scan(1), card_of(scan(1), TRUSTING))
    (change,) = again.report(until=NOW).changed
    assert change.after.grade is Grade.F
    assert any("unknown-issuer" in line or "incomplete" in line for line in change.evidence)


def test_the_same_rulebook_and_store_change_nothing() -> None:
    again = regrading(TRUSTING)
    again.take(scan(1), card_of(scan(1), TRUSTING))
    report = again.report(until=NOW)
    assert (report.cards_compared, report.cards_changed, report.changed) == (1, 0, ())


def test_another_rulebook_is_named_with_its_letter() -> None:
    again = regrading(DOUBTING, rulebook=WITHOUT_TRUST)
    again.take(scan(1), card_of(scan(1), DOUBTING))
    (change,) = again.report(until=NOW).changed
    assert (change.before.rulebook, change.after.rulebook) == ("vigilo-2026", "without-trust")
    assert change.after.grade is not Grade.F


def test_a_chain_from_before_the_period_is_remembered() -> None:
    first = scan(-10)
    light = scan(1, baseline=first.chain_sha256)
    assert light.chain_der is None
    again = regrading(TRUSTING)
    again.take(first, None)
    again.take(light, card_of(light, TRUSTING))
    report = again.report(until=NOW)
    assert (report.cards_compared, report.cards_changed, report.without_card) == (1, 0, 0)


def test_a_scan_without_a_card_is_left_out_and_counted() -> None:
    again = regrading(TRUSTING)
    again.take(scan(1), None)
    report = again.report(until=NOW)
    assert (report.cards_compared, report.without_card, report.hosts_compared) == (0, 1, 0)


def test_a_repeated_snapshot_counts_once() -> None:
    again = regrading(TRUSTING)
    for _ in range(2):
        again.take(scan(1), card_of(scan(1), DOUBTING))
    assert again.report(until=NOW).cards_compared == 1


def test_the_newest_scan_stands_for_its_host_whatever_comes_later() -> None:
    again = regrading(TRUSTING)
    again.take(scan(2), card_of(scan(2), TRUSTING))
    again.take(scan(1), card_of(scan(1), DOUBTING))  # late
    report = again.report(until=NOW)
    assert (report.cards_changed, report.changed) == (1, ())


def test_a_failed_scan_does_not_hide_the_letter_before_it() -> None:
    again = regrading(TRUSTING)
    again.take(scan(1), card_of(scan(1), DOUBTING))
    down = failed(Outcome.REFUSED, at=NOW + timedelta(minutes=2), number=2)
    again.take(down, card_of(down, DOUBTING))
    report = again.report(until=NOW)
    assert [one.scan_id for one in report.changed] == [scan(1).scan_id]
    assert (report.cards.before["F"], report.cards.before["none"], report.cards.after["F"]) == (1, 1, 0)


def test_a_card_is_judged_at_the_instant_it_was_judged_before() -> None:
    given = scan(1)
    at = LEAF.certificate.not_valid_after_utc + timedelta(days=1)
    written = known(grade_snapshot(given, LEAF.chain_der, judge=TRUSTING, at=at))
    again = regrading(TRUSTING)
    again.take(given, written)
    assert again.report(until=NOW).cards.after["F"] == 1


def test_the_judge_of_the_hosts_workspace_is_asked() -> None:
    asked: list[UUID] = []

    def judges(workspace_id: UUID) -> TrustJudge:
        asked.append(workspace_id)
        return TRUSTING

    again = regrading(TRUSTING, judges=judges)
    again.take(scan(1), card_of(scan(1), TRUSTING))
    assert asked == [WORKSPACE]
