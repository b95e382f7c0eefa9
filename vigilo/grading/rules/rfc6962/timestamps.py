"""Certificates of public CAs are logged where anybody can find them."""

from datetime import date

from vigilo.events.cards import FindingLevel, TrustDomain, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule

# Chrome's and Apple's policies for leafs of at most 180 days; longer-lived ones need three.
WANTED = 2


def check(inspection: Inspection) -> Result | None:
    """Information. Whether a browser demands timestamps depends on whose root it is; None for private chains.

    Chrome, Safari and Firefox refuse public certificates without. Roots that an administrator added are exempt, and the
    trust anchors do not tell those apart: hence a warning that leaves the letter alone.
    """
    if not any(v.domain is TrustDomain.PUBLIC and v.trusted is Verdict.YES for v in inspection.trust):
        return None
    count = max(len(inspection.snapshot.scts), inspection.leaf.sct_count)
    if count < WANTED:
        return Result(FindingLevel.WARNING, f"{count} signed certificate timestamps, browsers want {WANTED} or more")
    return Result(FindingLevel.GOOD, f"{count} signed certificate timestamps; their signatures are not checked")


RULE = Rule(
    id="rfc6962.timestamps",
    title="Certificate transparency",
    citation="RFC 6962 section 3.3; Chrome Certificate Transparency Policy",
    effective=date(2018, 4, 30),
    check=check,
    fix="use a certificate with embedded timestamps, as public CAs issue them by themselves",
)
