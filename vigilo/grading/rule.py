"""What a grading rule is: one file each, with its authority as the folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from vigilo.events.cards import Finding, FindingLevel, Grade, Special
from vigilo.grading.help import help_of
from vigilo.grading.inspection import Inspection


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule found. `cap` is the best letter the card can still get because of it; None leaves the letter."""

    level: FindingLevel
    evidence: str
    cap: Grade | None = None
    special: Special | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a rulebook.

    `check` is given the inspection and answers None where the rule does not apply. `posture` is False for questions of
    trust and name, which are left out of "grade if trusted". `effective` is the day from which the source demands it.
    `fix` says what to do where the result is no good one. `second_hand` marks a rule whose source was not read itself.
    """

    id: str
    title: str
    citation: str
    effective: date
    check: Callable[[Inspection], Result | None]
    posture: bool = True
    fix: str = ""
    second_hand: bool = False

    def finding(self, inspection: Inspection) -> Finding | None:
        """The rule's line on the card, or None where it does not apply."""
        result = self.check(inspection)
        if result is None:
            return None
        return Finding(
            rule=self.id,
            level=result.level,
            title=self.title,
            evidence=result.evidence,
            cap=result.cap,
            citation=self.citation,
            help=help_of(self.id, result.level, result.cap, chain_reason=inspection.chain_reason),
            special=result.special,
        )
