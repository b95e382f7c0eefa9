"""Another name than the one that was asked for."""

from __future__ import annotations

from tests.fakes.inputs import NOON
from tests.unit.vigilo.alerting.sights import cleared, judge, matter, view, well
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers.name_mismatch import QUESTION
from vigilo.events.cards import Verdict
from vigilo.events.triggers import NameMismatch


def test_the_verdict_of_the_card_is_turned_round() -> None:
    assert judge(NameMismatch(), well(name_matches=Verdict.NO)) is Judgement.TRUE
    assert judge(NameMismatch(), well(name_matches=Verdict.YES)) is Judgement.FALSE
    assert judge(NameMismatch(), well(name_matches=Verdict.UNKNOWN)) is Judgement.UNKNOWN


def test_the_words_say_which_name_was_asked_for_and_which_were_found() -> None:
    wrong = well(name_matches=Verdict.NO, names=("a.example", "b.example", "c.example"), names_count=200)
    assert matter(NameMismatch(), wrong) == (
        "the certificate is not for shop.example, but for a.example, b.example and 198 more"
    )
    assert matter(NameMismatch(), well(names=("a.example",))) == (
        "the certificate is not for shop.example, but for a.example"
    )
    assert matter(NameMismatch(), well(names=(), names_count=0)) == "the certificate is not for shop.example"
    assert cleared(NameMismatch(), well()) == "the certificate is for shop.example"
    asked = view(wrong, sni="api.example")
    assert QUESTION.matter(NameMismatch(), asked, NOON).startswith("the certificate is not for api.example")
