"""Whatever a finding, a verdict, a failed scan or an alert points to is explained in docs/troubleshooting.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.vigilo.alerting.asked import every_trigger
from tests.unit.vigilo.alerting.sights import view, well
from vigilo.alerting import threshold
from vigilo.events.cards import FindingLevel, Grade, TrustReason
from vigilo.events.help import BY_REASON, PAGE, Help, help_of_outcome
from vigilo.events.scans import Outcome
from vigilo.events.triggers import Trigger
from vigilo.grading.help import BY_RULE, CHAIN_RULE, PROXY_RULE, help_of
from vigilo.grading.rulebook import RULEBOOKS

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / PAGE).read_text(encoding="utf-8")
ANCHORS = re.findall(r'^<a id="([^"]+)"></a>\n### \S', TEXT, flags=re.MULTILINE)
RULES = {rule.id: rule for book in RULEBOOKS.values() for rule in book.rules}


def test_every_anchor_is_there_once_above_a_heading_and_none_is_unknown() -> None:
    assert sorted(ANCHORS) == sorted(Help)
    assert TEXT.count("<a id=") == len(ANCHORS)


def test_every_entry_says_more_than_its_heading() -> None:
    for entry in TEXT.split('<a id="')[1:]:
        assert len(entry.split("\n", 2)[2].strip()) > 120, entry[:60]


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        file, _, fragment = target.partition("#")
        if file:
            assert (REPOSITORY / PAGE).parent.joinpath(file).is_file(), target
        else:
            assert fragment in ANCHORS, target


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_that_can_hold_a_card_at_f_is_explained(rule: str) -> None:
    for reason in (None, *TrustReason):
        anchor = help_of(rule, FindingLevel.FAILURE, Grade.F, chain_reason=reason)
        assert anchor in ANCHORS


def test_every_rule_named_here_exists() -> None:
    assert {CHAIN_RULE, *BY_RULE} <= set(RULES)


def test_every_reason_against_a_chain_is_explained() -> None:
    assert set(BY_REASON) == set(TrustReason)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_failed_scan_is_explained_and_only_those(outcome: Outcome) -> None:
    anchor = help_of_outcome(outcome)
    assert (anchor is None) == (outcome is Outcome.OK)
    assert anchor is None or anchor in ANCHORS


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: str(trigger.kind))
def test_every_alert_is_explained_whatever_is_known_of_its_host(trigger: Trigger) -> None:
    asked = threshold.question(trigger)
    seen = [None, *(well(chain_reason=reason) for reason in TrustReason), *(well(grade=grade) for grade in Grade)]
    assert {asked.help(trigger, view(known)) for known in seen} <= set(ANCHORS)


def test_good_news_and_mere_information_need_no_help_but_for_a_proxy() -> None:
    for level in (FindingLevel.GOOD, FindingLevel.INFO):
        explained = {rule for rule in RULES if help_of(rule, level, None, chain_reason=None) is not None}
        assert explained == (set() if level is FindingLevel.GOOD else {PROXY_RULE})
