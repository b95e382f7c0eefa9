"""Where docs/troubleshooting.md explains a finding or a failed scan. Pure: rule, reason or outcome to anchor.

The anchors are part of the interface: cards keep them, so they are never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from vigilo.events.cards import FindingLevel, Grade, TrustReason
from vigilo.events.scans import Outcome

PAGE = "docs/troubleshooting.md"


class Help(StrEnum):
    """The anchors of the page that messages point to."""

    GRADE_F = "grade-f"
    PROVISIONAL_GRADE = "provisional-grade"
    OLD_PROTOCOLS = "old-protocols"
    WEAK_KEY = "weak-key"
    CIPHER_SUITES = "cipher-suites"
    KNOWN_HOLES = "known-holes"
    STAPLE = "staple"
    INCOMPLETE_CHAIN = "incomplete-chain"
    UNKNOWN_ISSUER = "unknown-issuer"
    DISTRUSTED = "distrusted"
    BAD_CHAIN = "bad-chain"
    EXPIRED_THOUGH_RENEWED = "expired-though-renewed"
    REVOKED = "revoked"
    TRUST_NOT_KNOWN = "trust-not-known"
    NAME_MISMATCH = "name-mismatch"
    SNI = "sni"
    TLS_AGENT = "tls-agent"
    PENDING = "pending"
    SCAN_FAILED = "scan-failed"
    NOT_TLS = "not-tls"
    THROTTLED = "throttled"
    POOL_SUSPECT = "pool-suspect"
    FACTS_NOT_KNOWN = "facts-not-known"
    DUPLICATE_ALERTS = "duplicate-alerts"


BY_REASON: Mapping[TrustReason, Help] = MappingProxyType(
    {
        TrustReason.UNKNOWN_ISSUER: Help.UNKNOWN_ISSUER,
        TrustReason.SELF_SIGNED: Help.UNKNOWN_ISSUER,
        TrustReason.INCOMPLETE: Help.INCOMPLETE_CHAIN,
        TrustReason.BAD_SIGNATURE: Help.BAD_CHAIN,
        TrustReason.CONSTRAINT: Help.BAD_CHAIN,
        TrustReason.EXPIRED: Help.EXPIRED_THOUGH_RENEWED,
        TrustReason.NOT_YET_VALID: Help.EXPIRED_THOUGH_RENEWED,
        TrustReason.DISTRUSTED: Help.DISTRUSTED,
        TrustReason.REVOKED: Help.REVOKED,
        TrustReason.TOO_COMPLEX: Help.TRUST_NOT_KNOWN,
        TrustReason.UNREADABLE: Help.TRUST_NOT_KNOWN,
    }
)
CHAIN_RULE = "rfc5280.chain-validates"
PROXY_RULE = "house.interception"
BY_RULE: Mapping[str, Help] = MappingProxyType(
    {
        "rfc9525.name-matches": Help.NAME_MISMATCH,
        PROXY_RULE: Help.TLS_AGENT,
        "rfc5280.within-validity": Help.EXPIRED_THOUGH_RENEWED,
        "rfc8996.protocol-version": Help.OLD_PROTOCOLS,
        "rfc9325.cipher-suites": Help.CIPHER_SUITES,
        "house.vulnerabilities": Help.KNOWN_HOLES,
        "cabf-br.key-size": Help.WEAK_KEY,
        "cabf-br.signature-algorithm": Help.WEAK_KEY,
        "house.stapling": Help.STAPLE,
    }
)
_BY_OUTCOME: Mapping[Outcome, Help] = MappingProxyType(
    {
        Outcome.NOT_TLS: Help.NOT_TLS,
        Outcome.STARTTLS_REFUSED: Help.NOT_TLS,
        Outcome.THROTTLED: Help.THROTTLED,
        Outcome.NOT_PERFORMED: Help.PENDING,
    }
)


def help_of(rule: str, level: FindingLevel, cap: Grade | None, *, chain_reason: TrustReason | None) -> Help | None:
    """What explains a rule's line; None for one that nobody needs explained.

    Whatever holds a card at F is explained: where its rule has no entry, by the one on that letter.
    """
    if level is FindingLevel.GOOD or (level is FindingLevel.INFO and rule != PROXY_RULE):
        return None
    if rule == CHAIN_RULE:
        return Help.TRUST_NOT_KNOWN if chain_reason is None else BY_REASON[chain_reason]
    if rule in BY_RULE:
        return BY_RULE[rule]
    if cap is Grade.F:
        return Help.GRADE_F
    return Help.FACTS_NOT_KNOWN if level is FindingLevel.UNKNOWN else None


def help_of_outcome(outcome: Outcome) -> Help | None:
    """What explains that a scan ended so; None for `ok`."""
    return None if outcome is Outcome.OK else _BY_OUTCOME.get(outcome, Help.SCAN_FAILED)


def address(anchor: str) -> str:
    """The anchor as people look it up: page and fragment."""
    return f"{PAGE}#{anchor}"
