"""A certificate of a public CA tells where its revocation would be found."""

from datetime import date

from vigilo.events.cards import FindingLevel, TrustDomain, Verdict
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """Information: OCSP is optional since 2023, a CRL then is not, but for short-lived leafs; None for private chains.

    It is the CA's fault and not the host's, hence no effect on the letter.
    """
    leaf = inspection.leaf
    public = any(v.domain is TrustDomain.PUBLIC and v.trusted is Verdict.YES for v in inspection.trust)
    if not public or leaf.parse_error is not None:
        return None
    if leaf.crl_urls or leaf.ocsp_urls:
        return Result(FindingLevel.GOOD, "by " + " and ".join(_ways(inspection)))
    if leaf.short_lived:
        return Result(FindingLevel.GOOD, "none, and none is needed: the certificate is short-lived")
    return Result(FindingLevel.WARNING, "the certificate names neither a CRL nor an OCSP responder")


def _ways(inspection: Inspection) -> list[str]:
    leaf = inspection.leaf
    return [*(["CRL"] if leaf.crl_urls else []), *(["OCSP"] if leaf.ocsp_urls else [])]


RULE = Rule(
    id="cabf-br.revocation-source",
    title="Where revocation is published",
    citation="CA/Browser Forum Baseline Requirements section 7.1.2.11.2 (ballot SC-063)",
    effective=date(2024, 3, 15),
    check=check,
    fix="ask the CA for a certificate with a CRL distribution point",
)
