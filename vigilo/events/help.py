"""Where docs/troubleshooting.md explains a verdict, a failed scan or an alert. Pure: reason or outcome to anchor.

The anchors are part of the interface: cards and alerts keep them, so they are never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from vigilo.events.cards import TrustReason
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
    GRADE_BELOW = "grade-below"
    UNREACHABLE = "unreachable"
    SCAN_OVERDUE = "scan-overdue"
    STAPLING_STOPPED = "stapling-stopped"
    PROTOCOL_BELOW = "protocol-below"
    CERTIFICATE_CHANGED = "certificate-changed"


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
_BY_OUTCOME: Mapping[Outcome, Help] = MappingProxyType(
    {
        Outcome.NOT_TLS: Help.NOT_TLS,
        Outcome.STARTTLS_REFUSED: Help.NOT_TLS,
        Outcome.THROTTLED: Help.THROTTLED,
        Outcome.NOT_PERFORMED: Help.PENDING,
    }
)


def help_of_outcome(outcome: Outcome) -> Help | None:
    """What explains that a scan ended so; None for `ok`."""
    return None if outcome is Outcome.OK else _BY_OUTCOME.get(outcome, Help.SCAN_FAILED)


def address(anchor: str) -> str:
    """The anchor as people look it up: page and fragment."""
    return f"{PAGE}#{anchor}"
