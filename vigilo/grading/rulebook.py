"""Rulebooks: a name, and a readable list of rules in the order in which the card shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vigilo.events.cards import Finding, Grade
from vigilo.grading.inspection import Inspection
from vigilo.grading.rule import Rule
from vigilo.grading.rules.cabf_br import key_size, lifetime, revocation_source, signature_algorithm, weak_key
from vigilo.grading.rules.house import addresses_differ, hsts, interception, post_quantum, stapling, vulnerabilities
from vigilo.grading.rules.rfc3207 import early_bytes
from vigilo.grading.rules.rfc5246 import chain_order
from vigilo.grading.rules.rfc5280 import chain_validates, within_validity
from vigilo.grading.rules.rfc5746 import secure_renegotiation
from vigilo.grading.rules.rfc6962 import timestamps
from vigilo.grading.rules.rfc7507 import fallback
from vigilo.grading.rules.rfc7627 import extended_master_secret
from vigilo.grading.rules.rfc8996 import protocol_version
from vigilo.grading.rules.rfc9325 import (
    authenticated_encryption,
    cipher_suites,
    compression,
    forward_secrecy,
    parameter_size,
)
from vigilo.grading.rules.rfc9525 import name_matches
from vigilo.grading.rules.rfc10015 import key_exchange
from vigilo.grading.rules.ssllabs.rules import RULES as SSLLABS_RULES

Letter = Callable[[Sequence[Finding], Inspection], Grade]


def capped(findings: Sequence[Finding], _: Inspection | None = None) -> Grade:
    """The best letter every cap allows; A+ when nothing caps."""
    caps = [finding.cap for finding in findings if finding.cap is not None]
    return max(caps, key=lambda grade: grade.rank, default=Grade.A_PLUS)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A named, ordered set of rules, and how a letter is made of their findings. The name is kept in every card."""

    name: str
    rules: tuple[Rule, ...]
    letter: Letter = capped


VIGILO_2026 = Rulebook(
    name="vigilo-2026",
    rules=(
        chain_validates.RULE,
        name_matches.RULE,
        interception.RULE,
        within_validity.RULE,
        chain_order.RULE,
        protocol_version.RULE,
        cipher_suites.RULE,
        forward_secrecy.RULE,
        authenticated_encryption.RULE,
        key_exchange.RULE,
        parameter_size.RULE,
        secure_renegotiation.RULE,
        compression.RULE,
        extended_master_secret.RULE,
        fallback.RULE,
        early_bytes.RULE,
        vulnerabilities.RULE,
        key_size.RULE,
        weak_key.RULE,
        signature_algorithm.RULE,
        lifetime.RULE,
        timestamps.RULE,
        revocation_source.RULE,
        stapling.RULE,
        hsts.RULE,
        post_quantum.RULE,
        addresses_differ.RULE,
    ),
)

# Close to Qualys SSL Labs' rating, not the same: rules known at second hand are marked.
SSLLABS_COMPATIBLE_2009R = Rulebook(name="ssllabs-compatible-2009r", rules=SSLLABS_RULES)

RULEBOOKS: Mapping[str, Rulebook] = MappingProxyType(
    {book.name: book for book in (VIGILO_2026, SSLLABS_COMPATIBLE_2009R)}
)


class UnknownRulebook(ValueError):
    """There is no rulebook of that name; the message lists those there are."""


def rulebook(name: str) -> Rulebook:
    """The rulebook of that name. Raises UnknownRulebook."""
    if name not in RULEBOOKS:
        raise UnknownRulebook(f"there is no rulebook {name[:60]!r}: {', '.join(RULEBOOKS)}")
    return RULEBOOKS[name]
