"""The rules a new workspace begins with: shown in the app, sent nowhere until somebody says where.

Source: DESIGN section 8. The two about expiry follow short-lived certificates by a share of their lifetime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from vigilo.events.cards import Grade
from vigilo.events.rules import Severity
from vigilo.events.triggers import (
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    ScanOverdue,
    Trigger,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Recommended:
    """A rule for all hosts; the rest is as by default (vigilo.alerting.confirmation)."""

    name: str
    trigger: Trigger
    severity: Severity


RECOMMENDED: Final = (
    Recommended("Expires within 30 days", ExpiresInLessThan(days=30, share=1 / 3), Severity.WARNING),
    Recommended("Expires within 7 days", ExpiresInLessThan(days=7, share=1 / 6), Severity.CRITICAL),
    Recommended("Chain does not validate", ChainValidationFails(), Severity.CRITICAL),
    Recommended("Unreachable", Unreachable(), Severity.CRITICAL),
    Recommended("Not scanned any more", ScanOverdue(), Severity.WARNING),
    Recommended("Grade below B", GradeBelow(grade=Grade.B), Severity.WARNING),
)
