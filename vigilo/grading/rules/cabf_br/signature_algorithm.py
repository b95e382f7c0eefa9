"""No certificate of the path is signed with a broken hash."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule
from vigilo.tls.weak_choices import signature_is_broken


def check(inspection: Inspection) -> Result:
    """F for MD5 or SHA-1 in leaf or intermediates; a self-issued certificate's own signature proves nothing."""
    certificates = [c for c in (inspection.leaf, *inspection.issuers) if not c.self_issued]
    for certificate in certificates:
        if signature_is_broken(certificate.signature_algorithm):
            evidence = f"{certificate.signature_algorithm} in {certificate.subject}"
            return Result(FindingLevel.FAILURE, evidence, cap=Grade.F)
    return Result(FindingLevel.GOOD, inspection.leaf.signature_algorithm or "self-issued")


RULE = Rule(
    id="cabf-br.signature-algorithm",
    title="Signature algorithms",
    citation="CA/Browser Forum Baseline Requirements section 7.1.3.2",
    effective=date(2016, 1, 1),
    check=check,
    fix="have the certificate issued anew by a CA that signs with SHA-256 or better",
)
