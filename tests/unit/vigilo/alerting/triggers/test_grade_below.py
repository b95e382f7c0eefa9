"""Letters against a threshold."""

from __future__ import annotations

import pytest

from tests.unit.vigilo.alerting.sights import cleared, judge, matter, view, well
from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers.grade_below import QUESTION
from vigilo.events.cards import Grade
from vigilo.events.help import Help
from vigilo.events.triggers import GradeBelow

BELOW_B = GradeBelow(grade=Grade.B)


@pytest.mark.parametrize("letter", Grade)
def test_below_is_worse_than_and_not_as_good_as(letter: Grade) -> None:
    worse = letter in {Grade.C, Grade.D, Grade.E, Grade.F}
    assert judge(BELOW_B, well(grade=letter)) is (Judgement.TRUE if worse else Judgement.FALSE)
    assert judge(GradeBelow(grade=Grade.F), well(grade=letter)) is Judgement.FALSE


def test_a_provisional_letter_counts_only_if_it_is_too_low_already() -> None:
    assert judge(BELOW_B, well(grade=Grade.C, provisional=True)) is Judgement.TRUE
    assert judge(BELOW_B, well(grade=Grade.A, provisional=True)) is Judgement.UNKNOWN
    assert judge(BELOW_B, well(grade=None)) is Judgement.UNKNOWN


def test_the_words_have_both_letters() -> None:
    assert matter(BELOW_B, well(grade=Grade.C)) == "grade C, below B"
    assert cleared(BELOW_B, well(grade=Grade.A_PLUS)) == "grade A+, not below B"
    assert QUESTION.help(BELOW_B, view(well(grade=Grade.F))) is Help.GRADE_F
    assert QUESTION.help(BELOW_B, view(well(grade=Grade.C))) is Help.GRADE_BELOW
