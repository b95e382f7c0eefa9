"""The setting chooses the rulebook of every letter."""

from __future__ import annotations

import pytest

from services.grader.decide import GraderProcessor
from services.grader.settings import GraderSettings
from tests.fakes.inputs import given as as_input
from tests.unit.services.grader.hosts import JUDGE, NEW, NOW, scan
from vigilo.adapters.settings import BadSettings, read
from vigilo.events.cards import ReportCard
from vigilo.grading.rulebook import RULEBOOKS, rulebook


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_rulebook_is_chosen_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("VIGILO_RULEBOOK", name)
    assert read(GraderSettings).rulebook == name


def test_the_default_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGILO_RULEBOOK", raising=False)
    assert read(GraderSettings).rulebook == "vigilo-2026"


def test_an_unknown_name_stops_the_service_and_tells_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGILO_RULEBOOK", "ssllabs")
    with pytest.raises(BadSettings, match="ssllabs-compatible-2009r"):
        read(GraderSettings)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_cards_are_made_by_it(name: str) -> None:
    given = scan(NEW, 1)
    processor = GraderProcessor(lambda _: JUDGE, rulebook(name))
    decision = processor.decide(None, {}, as_input("snapshots", given), at=NOW)
    cards = [one.event for one in decision.outputs if isinstance(one.event, ReportCard)]
    assert [card.rulebook for card in cards] == [name]
    known = {rule.id for rule in rulebook(name).rules}
    assert {finding.rule for finding in cards[0].findings} <= known
