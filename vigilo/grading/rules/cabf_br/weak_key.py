"""No RSA key of the path can be factored by what is publicly known of it."""

from datetime import date

from vigilo.events.cards import FindingLevel, Grade
from vigilo.events.facts import KeyAlgorithm, WeakKeyHint
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Result, Rule


def check(inspection: Inspection) -> Result | None:
    """F for a key that is broken by its public half; an exponent such as 3 is allowed and only said. None without RSA.

    Section 6.1.6 demands an odd exponent of at least 3, and advises 65537 or more.
    """
    certificates = [c for c in (inspection.leaf, *inspection.issuers) if c.key_algorithm is KeyAlgorithm.RSA]
    if not certificates:
        return None
    hints = [(hint, certificate.subject) for certificate in certificates for hint in certificate.weak_key]
    broken = [f"{hint} in {subject}" for hint, subject in hints if hint is not WeakKeyHint.EXPONENT_SMALL]
    if broken:
        return Result(FindingLevel.FAILURE, "; ".join(broken), cap=Grade.F)
    if hints:
        return Result(FindingLevel.INFO, "; ".join(f"{hint} in {subject}" for hint, subject in hints))
    return Result(FindingLevel.GOOD, "nothing known against the RSA keys")


RULE = Rule(
    id="cabf-br.weak-key",
    title="Known weak keys",
    citation="CA/Browser Forum Baseline Requirements sections 6.1.1.3 and 6.1.6; CVE-2017-15361; CVE-2022-26320",
    effective=date(2022, 11, 1),
    check=check,
    fix="make a new key with a current library, and a new certificate for it",
)
