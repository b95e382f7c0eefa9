"""How often a trigger must say the same before anybody is told, unless the rule says otherwise.

One failed connection is a blip; an expired certificate is a fact. Source: DESIGN section 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Confirmation:
    """So many consecutive `true` open an alert, so many `false` close it."""

    open_after: int
    close_after: int


AT_ONCE: Final = Confirmation(1, 1)
DEFAULTS: Final[Mapping[str, Confirmation]] = MappingProxyType(
    {
        "unreachable": Confirmation(3, 2),
        "not-tls": Confirmation(3, 1),
        "ocsp-stapling-stops": Confirmation(3, 1),
        "grade-below": Confirmation(2, 1),
    }
)


def confirmation(trigger_kind: str) -> Confirmation:
    """What holds for triggers of that kind when a rule does not say."""
    return DEFAULTS.get(trigger_kind, AT_ONCE)
