"""Certificates of public CAs live no longer than their rules allow on the day they are made for."""

from datetime import UTC, date, datetime, timedelta

from vigilo.events.cards import FindingLevel, Grade, TrustDomain, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# Days, by the day from which a leaf's not_before falls under them; the newest first. SC-31, SC-081v3.
LIMITS = (
    (datetime(2029, 3, 15, tzinfo=UTC), 47),
    (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2026, 3, 15, tzinfo=UTC), 200),
    (datetime(2020, 9, 1, tzinfo=UTC), 398),
    (datetime(2018, 3, 1, tzinfo=UTC), 825),
)
# What Chrome and Safari themselves refuse of public CAs, for leafs since September 2020.
REFUSED_DAYS = 398


def check(inspection: Inspection) -> Result | None:
    """B at most for a public leaf that lives too long, F where browsers refuse it; None for private chains.

    A leaf beyond the limit was issued against the rules and has to be revoked within days, hence B and no mere warning.
    """
    public = any(v.domain is TrustDomain.PUBLIC and v.trusted is Verdict.YES for v in inspection.trust)
    begin, end = inspection.leaf.not_before, inspection.leaf.not_after
    if not public or begin is None or end is None:
        return None
    since, days = next((limit for limit in LIMITS if begin >= limit[0]), (None, None))
    if since is None or days is None:
        return None
    # Both ends are inside the validity: RFC 5280 section 4.1.2.5.
    life = end - begin + timedelta(seconds=1)
    evidence = f"valid for {life.days} days; {days} are allowed for certificates from {since:%Y-%m-%d} on"
    if life <= timedelta(days=days):
        return Result(FindingLevel.GOOD, evidence)
    refused = life > timedelta(days=REFUSED_DAYS) and begin >= LIMITS[-2][0]
    return Result(FindingLevel.FAILURE, evidence, cap=Grade.F if refused else Grade.B)


RULE = Rule(
    id="cabf-br.lifetime",
    title="Lifetime of the certificate",
    citation="CA/Browser Forum Baseline Requirements section 6.3.2 (ballot SC-081v3)",
    effective=date(2026, 3, 15),
    check=check,
    fix="have the certificate issued anew, with a shorter life",
)
