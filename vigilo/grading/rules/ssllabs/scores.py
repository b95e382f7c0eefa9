"""The three categories' points and what their sum is worth."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.grading.scores import scores


def check(inspection: Inspection) -> Result:
    """A to F by the sum of what is known to be accepted; from 80 points on the letter is left to the other rules."""
    found = scores(inspection.snapshot)
    points = {"protocols": found.protocol, "key exchange": found.key_exchange, "ciphers": found.cipher}
    words = ", ".join(f"{name} {'unknown' if score is None else score}" for name, score in points.items())
    if found.total is None or found.letter is None:
        return Result(FindingLevel.UNKNOWN, words)
    words = f"{words}: {found.total} of 100"
    if found.letter is Grade.A:
        return Result(FindingLevel.GOOD, words)
    return Result(FindingLevel.FAILURE, words, cap=found.letter)


RULE = Rule(
    id="ssllabs.scores",
    title="Category scores",
    citation="SSL Server Rating Guide 2009e, Methodology Overview",
    effective=date(2014, 1, 1),
    check=check,
    fix="offer TLS 1.2 and 1.3, keys and parameters of 2048 bits, and ciphers of 128 bits and more",
)
