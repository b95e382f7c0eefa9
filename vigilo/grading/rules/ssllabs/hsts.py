"""Browsers are told to stay with HTTPS: a condition of A, and for half a year of A+."""

from datetime import date, timedelta

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# "Six months" of the guide; testssl.sh reads it as 180 days.
LONG = timedelta(days=180)


def check(inspection: Inspection) -> Result:
    """A- where it is absent, disabled or invalid, A where it is short; A, too, where there is no HTTP to send it by."""
    hsts = inspection.snapshot.hsts
    if hsts is None:
        return Result(FindingLevel.INFO, "not applicable: the guide's A+ is for HTTPS", cap=Grade.A)
    if hsts.present is None:
        return Result(FindingLevel.UNKNOWN, f"not known: {hsts.parse_error or 'no answer'}")
    if not hsts.present or not hsts.max_age:
        return Result(FindingLevel.WARNING, "absent, disabled or invalid", cap=Grade.A_MINUS)
    if hsts.max_age < LONG.total_seconds():
        return Result(FindingLevel.INFO, f"max-age is {hsts.max_age} seconds, under {LONG.days} days", cap=Grade.A)
    return Result(FindingLevel.GOOD, f"for {hsts.max_age // 86400} days")


RULE = Rule(
    id="ssllabs.hsts",
    title="HSTS",
    citation="SSL Server Rating Guide 2009r",
    effective=date(2025, 5, 16),
    check=check,
    fix="send Strict-Transport-Security with a max-age of half a year or more",
    second_hand=True,
)
