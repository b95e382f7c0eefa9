"""What a scan sees, as values: one handshake, one address, one host. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from vigilo.events.facts import HstsFacts
from vigilo.events.handshakes import ClientCertificateFacts, ReadBy
from vigilo.events.hosts import Protocol
from vigilo.events.posture import Posture
from vigilo.events.scans import Depth, Outcome
from vigilo.events.transcript import Transcript

Address = IPv4Address | IPv6Address

_STATUS_REQUEST = 5  # RFC 6066 section 8


class Unsuccessful(Exception):
    """A step of a scan that ended otherwise than well; the scan's outcome, not our failure.

    `detail` names the step and may quote the peer: it becomes PeerText. `protocol` is set when a dialogue before TLS
    was under way.
    """

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.protocol: Protocol | None = None


@dataclass(frozen=True, slots=True)
class HandshakeSeen:
    """One handshake, finished or as far as it came. `chain` is DER, leaf first, as served (`served` counts what was
    served beyond what is kept); `staple` DER or None.

    `version` is written TLSv1.0 to TLSv1.3, `cipher_suite` as IANA does, `group` as OpenSSL does (None without one).
    `protocol` is what was spoken before TLS; `early_bytes` came in the clear between its go-ahead and TLS.
    `hello_extensions` are the types of the ServerHello's extensions in the server's order. `scts` is the content of the
    extension signed_certificate_timestamp.
    """

    version: str | None = None
    cipher_suite: str | None = None
    group: str | None = None
    alpn: str | None = None
    chain: tuple[bytes, ...] = ()
    served: int = 0
    staple: bytes | None = None
    client_certificate_demanded: bool = False
    protocol: Protocol = Protocol.TLS
    early_bytes: int = 0
    hello_extensions: tuple[int, ...] = ()
    read_by: ReadBy = ReadBy.LIBRARY
    scts: bytes | None = None
    client_certificate: ClientCertificateFacts | None = None

    @property
    def hello_sha256(self) -> str | None:
        """Fingerprint (hex) of what the server chose and how it said so; None when it chose nothing.

        Equal for one configuration of one software at every handshake. Without status_request, for servers lose and
        regain their staples.
        """
        if self.version is None or self.cipher_suite is None:
            return None
        extensions = "-".join(str(kind) for kind in self.hello_extensions if kind != _STATUS_REQUEST)
        said = (self.version, self.cipher_suite, self.group or "", self.alpn or "", extensions)
        return hashlib.sha256("|".join(said).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AddressSeen:
    """What one address answered. Times are milliseconds; `handshake` is None when not a certificate was seen.

    `asked_again` is True when a missing staple was asked for on a second connection, too. `protocol` is what was
    spoken, None when the peer said nothing.
    """

    address: Address
    outcome: Outcome
    detail: str | None = None
    connect_ms: int | None = None
    handshake_ms: int | None = None
    handshake: HandshakeSeen | None = None
    asked_again: bool = False
    protocol: Protocol | None = None
    hsts: HstsFacts | None = None


@dataclass(frozen=True, slots=True)
class HostSeen:
    """What all addresses of a host answered, in stable order; without any, why there is none."""

    addresses: tuple[AddressSeen, ...] = ()
    failure: Unsuccessful | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PostureSeen:
    """What was done beyond the handshake.

    LIGHT, without postures: nothing. POSTURE: the baseline's posture was proved unchanged, `postures` are its own.
    FULL: `postures` are one for each address enumerated, the one that speaks for the host first. `throttled`: the
    server stopped answering meanwhile, whatever was to be done. `transcript`: an enumeration that goes on in later
    scans has come so far.
    """

    postures: tuple[Posture, ...] = ()
    depth: Depth = Depth.LIGHT
    throttled: bool = False
    transcript: Transcript | None = None
