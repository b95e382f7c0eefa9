"""What one probe was answered: chosen, refused, or neither. Pure.

Three values, never two: silence, a reset, garbage or a choice that was not offered say nothing about what the server
accepts.
"""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello

PROTOCOL_VERSION = 70
INAPPROPRIATE_FALLBACK = 86
NO_APPLICATION_PROTOCOL = 120


@dataclass(frozen=True, slots=True)
class Chosen:
    """The server took one suite of the offer, and nothing that was not in it.

    `group` is the one it would agree a key in, None where none was said; `dh_bits` the size of its own DH prime.
    `foreign_group` marks a curve that was not offered: the suite counts, the curve does not.
    """

    offer: Offer
    hello: ServerHello
    group: int | None = None
    dh_bits: int | None = None
    foreign_group: bool = False

    @property
    def suite(self) -> int:
        """The suite's code point."""
        return self.hello.suite


@dataclass(frozen=True, slots=True)
class Refused:
    """The server turned the offer down: by an alert, by answering in an older version, or, twice, by hanging up."""

    alert: int | None = None
    older_version: int | None = None

    @property
    def for_its_version(self) -> bool:
        """True when no other list of suites could change the answer."""
        return self.alert == PROTOCOL_VERSION or self.older_version is not None


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing can be concluded. `silent` marks a server that let its time pass, `left` one that hung up wordlessly."""

    reason: str
    silent: bool = False
    left: bool = False


Answer = Chosen | Refused | Unclear
