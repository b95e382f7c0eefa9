"""Why there is an alert, or none: what decides, and how it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes import inputs
from tests.fakes.alerts import transition
from tests.fakes.inputs import HOST, NOON
from tests.unit.vigilo.alerting.courses import DAY, rule_of, runs_of
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.replay import Watched
from vigilo.alerting.why import Case, Counting, Decider, Silence, told_last, why
from vigilo.events.alerts import AlertRuleRef, AlertTransition, TransitionKind
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.hosts import HostStatus
from vigilo.events.rules import AlertRule, TaggedHosts
from vigilo.events.scans import Outcome
from vigilo.events.triggers import (
    CertificateChanged,
    ExpiresInLessThan,
    GradeBelow,
    NotTls,
    OcspStaplingStops,
    ScanOverdue,
    Unreachable,
)

HOUR = timedelta(hours=1)
GONE = rule_of(Unreachable(), opens=3, closes=2)
FINE: dict[str, Any] = {"not_after": NOON + 60 * DAY}


def cards(count: int, *, after: datetime = NOON, **fields: Any) -> list[ReportCard]:
    return [inputs.card(requested_at=after + number * HOUR, **fields) for number in range(1, count + 1)]


def case(rule: AlertRule, seen: Sequence[ReportCard] = (), *, at: datetime = NOON + DAY, **fields: Any) -> Case:
    runs = runs_of(seen)
    host = fields.pop("host", inputs.host())
    return Case(rule, host, runs[-1] if runs else None, at, runs=runs, **fields)


def last(kind: TransitionKind, rule: AlertRule, *, at: datetime, **changes: Any) -> AlertTransition:
    ref = AlertRuleRef(
        rule_id=rule.rule_id, version=rule.version, name=rule.name, trigger=rule.trigger, severity=rule.severity
    )
    one = transition(kind, workspace_id=rule.workspace_id, host_id=HOST, at=at)
    return one.model_copy(update={"rule": ref, "opened_at": at, **changes})


GONE_CARDS = cards(3)


@pytest.mark.parametrize(
    ("asked", "decider", "said"),
    [
        (case(GONE, host=inputs.host(status=HostStatus.PAUSED)), Decider.HOST_PAUSED, "the host is paused"),
        (case(GONE.model_copy(update={"enabled": False})), Decider.RULE_DISABLED, "the rule is disabled"),
        (
            case(GONE.model_copy(update={"scope": TaggedHosts(tag="edge")}), host=inputs.host(tags=("web",))),
            Decider.OUT_OF_SCOPE,
            "hosts tagged edge, and this one is tagged web",
        ),
        (case(rule_of(CertificateChanged()), cards(1, **FINE)), Decider.NOTICE, "change of certificate"),
        (case(rule_of(OcspStaplingStops()), cards(1, **FINE)), Decider.UNKNOWN, "does not tell"),
        (case(rule_of(GradeBelow(grade=Grade.B)), cards(1, **FINE)), Decider.UNKNOWN, "(it brought no grade)"),
        (case(GONE), Decider.NO_SCAN, "has not been scanned yet"),
        (case(GONE, cards(3, outcome=Outcome.THROTTLED)), Decider.UNKNOWN, "the server turned the scanner away"),
        (case(GONE, cards(3, pool_suspect=True)), Decider.UNKNOWN, "the scanner's own network was suspect"),
        (case(rule_of(NotTls()), GONE_CARDS), Decider.UNKNOWN, "no route to the host"),
        (case(GONE, cards(3, **FINE)), Decider.ANSWER, "no alert: "),
        (case(GONE, GONE_CARDS), Decider.ANSWER, "its condition is met, but no alert is known yet: "),
    ],
)
def test_the_first_that_applies_decides_and_is_named(asked: Case, decider: Decider, said: str) -> None:
    found = why(asked)
    assert found.decider is decider and said in found.sentence
    assert found.sentence.startswith("shop.example:443, 'expires soon' version 1: ")


@pytest.mark.parametrize(
    ("kind", "decider", "said"),
    [
        (TransitionKind.PENDING, Decider.PENDING, "pending since 2026-11-23 13:00 UTC, 3 of 3 answers in a row: "),
        (TransitionKind.OPENED, Decider.OPEN, "open since 2026-11-23 13:00 UTC: "),
        (TransitionKind.ACKNOWLEDGED, Decider.OPEN, "open since"),
        (TransitionKind.REMINDER, Decider.OPEN, "open since"),
        (TransitionKind.SUPPRESSED, Decider.SUPPRESSED, "snoozed"),
        (TransitionKind.CLOSED, Decider.ANSWER, "its condition is met, but no alert is known yet: "),
    ],
)
def test_an_alert_that_lives_decides_as_its_last_transition_left_it(
    kind: TransitionKind, decider: Decider, said: str
) -> None:
    asked = case(GONE, GONE_CARDS, last=last(kind, GONE, at=GONE_CARDS[0].requested_at))
    found = why(asked)
    said = said.replace("2026-11-23 13:00", f"{GONE_CARDS[0].requested_at:%Y-%m-%d %H:%M}")
    assert found.decider is decider and said in found.sentence and found.answer is Judgement.TRUE


@pytest.mark.parametrize(
    ("silence", "said"),
    [
        (Silence("host", NOON + 2 * DAY, "moving house", "ada"), "(the host) until"),
        (Silence("rule", NOON + 2 * DAY), "(the rule) until"),
        (Silence("tag", NOON + 2 * DAY, tag="edge"), "(the tag edge) until"),
    ],
)
def test_a_snooze_is_named_by_what_it_covers_until_when_by_whom_and_why(silence: Silence, said: str) -> None:
    asked = case(GONE, GONE_CARDS, silences=[Silence("rule", NOON + DAY), silence])
    for one in (asked, replace(asked, last=last(TransitionKind.SUPPRESSED, GONE, at=NOON + HOUR))):
        sentence = why(one).sentence.lower()
        assert f"snoozed {said} {NOON + 2 * DAY:%Y-%m-%d %H:%M} utc".lower() in sentence
        assert sentence.count("snoozed") == 1 and ("by ada (moving house)" in sentence) is (silence.by == "ada")


def test_the_instant_at_which_the_clock_changes_the_answer_is_told() -> None:
    rule = rule_of(ExpiresInLessThan(days=30))
    found = why(case(rule, cards(2, **FINE)))
    assert found.changes_at == NOON + 30 * DAY + timedelta(microseconds=1)
    assert f"{NOON + 30 * DAY:%Y-%m-%d %H:%M} UTC" in found.sentence and found.answer is Judgement.FALSE
    there = why(case(rule, cards(2, **FINE), at=found.changes_at))
    assert (there.answer, there.changes_at) == (Judgement.TRUE, None)


def test_a_scan_is_overdue_from_the_record_of_a_host_without_one() -> None:
    rule = rule_of(ScanOverdue(intervals=3))
    assert why(case(rule, at=NOON + 2 * HOUR)).changes_at == NOON + 3 * HOUR
    assert why(case(rule, at=NOON + 3 * HOUR)).answer is Judgement.TRUE
    back = NOON + 10 * HOUR
    resumed = case(rule, cards(2, **FINE), at=back + HOUR, watched=Watched(back, back))
    assert (why(resumed).answer, why(resumed).changes_at) == (Judgement.FALSE, back + 3 * HOUR)


def test_what_was_seen_before_a_pause_is_not_judged_after_it() -> None:
    back = NOON + 10 * HOUR
    before = case(GONE, cards(3), watched=Watched(back, back))
    assert why(before).decider is Decider.NO_SCAN and "since it was changed or resumed" in why(before).sentence
    assert why(case(GONE, cards(12), watched=Watched(back, back))).answer is Judgement.TRUE
    # Another interval makes nothing unknown.
    assert why(case(GONE, cards(3), watched=Watched(back))).answer is Judgement.TRUE


def counting(seen: Sequence[ReportCard], rule: AlertRule, one: AlertTransition, **fields: Any) -> Counting | None:
    return why(case(rule, seen, last=one, **fields)).counting


def test_answers_are_counted_from_the_one_that_began_it() -> None:
    rule = rule_of(Unreachable(), opens=9)
    seen = cards(4)
    pending = last(TransitionKind.PENDING, rule, at=seen[0].requested_at, scans_to_confirm=8)
    assert counting(seen, rule, pending) == Counting(4, 9)
    assert counting(seen, rule_of(Unreachable(), opens=3), pending) == Counting(3, 3)  # the count was edited
    opened = last(TransitionKind.OPENED, rule, at=seen[0].requested_at)
    assert counting(seen, rule, opened) is None


def test_an_open_alert_that_clears_counts_the_answers_that_say_no() -> None:
    rule = rule_of(Unreachable(), closes=5)
    well = cards(3, **FINE)
    clearing = last(TransitionKind.CLEARING, rule, at=well[0].requested_at, scans_to_confirm=4)
    assert counting(well, rule, clearing) == Counting(3, 5)
    assert "and clearing, 3 of 5 answers in a row: " in why(case(rule, well, last=clearing)).sentence


def test_another_question_begins_the_count_anew() -> None:
    before, seen = rule_of(NotTls(), opens=9), cards(4)
    pending = last(TransitionKind.PENDING, before, at=seen[0].requested_at, scans_to_confirm=8)
    edited = rule_of(Unreachable(), opens=9).model_copy(
        update={"version": 2, "updated_at": seen[2].requested_at + HOUR / 2}
    )
    # Once as it was edited, once by the card that came after.
    assert counting(seen, edited, pending) == Counting(2, 9)


def test_cards_in_the_middle_of_a_long_run_count_if_they_are_given() -> None:
    rule, seen = rule_of(Unreachable(), opens=9), cards(40)
    pending = last(TransitionKind.PENDING, rule, at=seen[34].requested_at, scans_to_confirm=8)
    block = [card.requested_at for card in seen[35:]]
    assert counting(seen, rule, pending, blocks=[block], at=NOON + 2 * DAY) == Counting(6, 9)


def test_an_open_alert_of_which_the_last_scan_tells_nothing_stays_as_it_is() -> None:
    seen = [*cards(3), *cards(1, after=NOON + 5 * HOUR, outcome=Outcome.THROTTLED)]
    found = why(case(GONE, seen, last=last(TransitionKind.OPENED, GONE, at=seen[2].requested_at)))
    assert (
        found.decider is Decider.OPEN and "(the server turned the scanner away), so it stays as it is" in found.sentence
    )


def test_the_last_transition_is_told_with_what_brought_it() -> None:
    one = last(TransitionKind.OPENED, GONE, at=NOON, cause="time")
    assert "(opened by the clock at " in told_last(one) and "version 1 of 'expires soon'" in told_last(one)
