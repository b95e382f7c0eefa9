"""The page on grading has every rule of every rulebook, each with its effect, its source and what mends it."""

from __future__ import annotations

import pytest

from vigilo.grading.rule import Rule
from vigilo.grading.rulebook import RULEBOOKS, VIGILO_2026, Rulebook
from vigilo_cli.grading_page import effect, page

INFORMATION = {"house.interception"}


@pytest.mark.parametrize("book", RULEBOOKS.values(), ids=lambda book: book.name)
def test_every_rule_has_its_row_and_an_id_of_its_own(book: Rulebook) -> None:
    text = page({book.name: book})
    assert [rule.id for rule in book.rules if f"<br>`{rule.id}` |" not in text] == []
    assert len({rule.id for rule in book.rules}) == len(book.rules)


@pytest.mark.parametrize("rule", VIGILO_2026.rules, ids=lambda rule: rule.id)
def test_every_rule_says_what_it_does_and_what_mends_it(rule: Rule) -> None:
    assert len(effect(rule)) > 20
    assert rule.citation
    assert rule.fix or rule.id in INFORMATION


def test_a_second_hand_source_is_said_to_be_one() -> None:
    rule = Rule("x.y", "Title", "A | B", VIGILO_2026.rules[0].effective, VIGILO_2026.rules[0].check, second_hand=True)
    text = page({"book": Rulebook("book", (rule,))})
    assert "A \\| B, 2008-05-01 (second hand)" in text
