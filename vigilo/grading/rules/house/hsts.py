"""HSTS is a line of the card of every HTTPS host with a name, and a condition of A+."""

from datetime import date, timedelta

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import HstsFacts
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# What browsers' preload list asks for is a year; below half of one a visitor's memory is short.
LONG = timedelta(days=180)


def check(inspection: Inspection) -> Result | None:
    """A- at most without HSTS, A below 180 days; None where it was no question: another protocol, or an IP address.

    2009r, the one source with letters, counts a header that browsers ignore and a max-age of 0 as none at all.
    What could not be told (a status other than 2xx and 3xx) is no fault and costs nothing below A; but A+ is given for
    what was seen.
    """
    hsts = inspection.snapshot.hsts
    if hsts is None:
        return None
    if hsts.present is None:
        return Result(FindingLevel.UNKNOWN, f"not known: {hsts.parse_error or 'no answer'}", cap=Grade.A)
    flaw = _flaw(hsts)
    if flaw is not None or hsts.max_age is None:
        return Result(FindingLevel.WARNING, flaw or "no max-age", cap=Grade.A if hsts.max_age else Grade.A_MINUS)
    words = ", with subdomains" if hsts.include_subdomains else ""
    return Result(FindingLevel.GOOD, f"browsers stay with HTTPS for {hsts.max_age // 86400} days{words}")


def _flaw(hsts: HstsFacts) -> str | None:
    if not hsts.present:
        return "no Strict-Transport-Security header is sent"
    if hsts.max_age is None:
        return f"browsers ignore the header: {hsts.parse_error}"
    if hsts.max_age == 0:
        return "max-age is 0: browsers are told to forget it"
    if hsts.max_age < LONG.total_seconds():
        return f"max-age is {hsts.max_age} seconds, less than {LONG.days} days"
    return None


RULE = Rule(
    id="house.hsts",
    title="HSTS",
    citation="RFC 6797 section 6.1; SSL Server Rating Guide 2009r",
    effective=date(2026, 1, 1),
    check=check,
    fix="send Strict-Transport-Security with a max-age of at least 15552000 on every answer",
)
