"""Handshakes that did not finish, and whose fault it was."""

from __future__ import annotations

from services.scanner.sightings import HandshakeSeen, Unsuccessful
from vigilo.events.scans import Outcome

# handshake_failure, illegal_parameter, protocol_version, insufficient_security: said of our hello, not of the server.
_HELLO_REFUSED = frozenset({40, 47, 70, 71})
# OpenSSL's words for servers that break the protocol or its cryptography: no client would get along with them.
WRONG = frozenset(
    {
        "bad signature",
        "digest check failed",
        "decryption failed or bad record mac",
        "bad record mac",
        "wrong signature type",
        "wrong signature length",
        "unexpected message",
        "unexpected ccs message",
        "ccs received early",
        "inappropriate fallback",
    }
)


class TlsFailed(Unsuccessful):
    """A handshake that did not finish. `seen` is what it showed until then, `alert` the peer's fatal alert.

    `banner` is what the peer sent instead of TLS. `refused`: it was our library that would not go on.
    """

    def __init__(
        self,
        outcome: Outcome,
        detail: str,
        *,
        seen: HandshakeSeen,
        alert: int | None = None,
        banner: bytes = b"",
        refused: bool = False,
    ) -> None:
        super().__init__(outcome, detail)
        self.seen = seen
        self.alert = alert
        self.banner = banner
        self.refused = refused

    @property
    def may_be_ours(self) -> bool:
        """True when another client may well get along with this server."""
        return self.refused or self.alert in _HELLO_REFUSED
