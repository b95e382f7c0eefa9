"""Reads what servers say of certificates and tickets: Certificate, CertificateStatus, CertificateRequest,
NewSessionTicket, in TLS 1.3 (RFC 8446 section 4) and before (RFC 5246 section 7.4, RFC 5077, RFC 6066 section 8). Pure.

Everything is bounded; what exceeds a bound is counted or Malformed, never kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.reading import Malformed, Reader

CERTIFICATES_MAX = 64
CERTIFICATE_MAX = 128 * 1024  # bytes
AUTHORITIES_MAX = 64
SCT = 18  # RFC 6962 section 3.3.1
_CERTIFICATE_AUTHORITIES = 47
_EARLY_DATA = 42
_OCSP = 1
_EXTENSIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class ServedChain:
    """`certificates` are the first 64 as served, `count` is how many came; `staple` and `scts` stand beside the leaf
    in TLS 1.3 only."""

    certificates: tuple[bytes, ...]
    count: int
    staple: bytes | None = None
    scts: bytes | None = None


@dataclass(frozen=True, slots=True)
class Authorities:
    """The distinguished names (DER) a CertificateRequest lists: the first 64, and how many there are."""

    names: tuple[bytes, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A session ticket: its lifetime in seconds as hinted, and bytes of early data it allows (TLS 1.3)."""

    lifetime_seconds: int
    max_early_data: int = 0


def parse_certificate(body: bytes) -> ServedChain:
    """The Certificate message of TLS 1.2 and older. Raises Malformed."""
    entries = Reader(Reader(body).vector(3))
    kept, count = list[bytes](), 0
    while entries.left:
        certificate, count = _certificate(entries), count + 1
        if count <= CERTIFICATES_MAX:
            kept.append(certificate)
    return ServedChain(tuple(kept), count)


def parse_certificate_tls13(body: bytes) -> ServedChain:
    """The Certificate message of TLS 1.3. Raises Malformed."""
    message = Reader(body)
    message.vector(1)
    entries = Reader(message.vector(3))
    kept, count, beside = list[bytes](), 0, dict[int, bytes]()
    while entries.left:
        certificate, count = _certificate(entries), count + 1
        extensions = entries.vector(2)
        if count == 1:
            beside = _extensions(extensions)
        if count <= CERTIFICATES_MAX:
            kept.append(certificate)
    staple = beside.get(code.STATUS_REQUEST)
    return ServedChain(
        tuple(kept), count, None if staple is None else parse_certificate_status(staple), beside.get(SCT)
    )


def _certificate(entries: Reader) -> bytes:
    certificate = entries.vector(3)
    if len(certificate) > CERTIFICATE_MAX:
        raise Malformed(f"a certificate of {len(certificate)} bytes")
    return certificate


def parse_certificate_status(body: bytes) -> bytes | None:
    """The OCSP response of a CertificateStatus; None for an empty one. Raises Malformed."""
    reader = Reader(body)
    if reader.number(1) != _OCSP:
        raise Malformed("a certificate status of another kind than OCSP")
    return reader.vector(3) or None


def parse_certificate_request(body: bytes, version: int) -> Authorities:
    """Whose client certificates the server says it takes; no names = anybody's. Raises Malformed."""
    reader = Reader(body)
    reader.vector(1)  # kinds of certificates; in TLS 1.3 a context
    if version == code.TLS13:
        listed = _extensions(reader.vector(2)).get(_CERTIFICATE_AUTHORITIES)
        return Authorities() if listed is None else _authorities(Reader(listed).vector(2))
    if version == code.TLS12:
        reader.vector(2)  # signature algorithms
    return _authorities(reader.vector(2))


def _authorities(content: bytes) -> Authorities:
    reader, names, count = Reader(content), list[bytes](), 0
    while reader.left:
        name, count = reader.vector(2), count + 1
        if count <= AUTHORITIES_MAX:
            names.append(name)
    return Authorities(tuple(names), count)


def parse_ticket(body: bytes) -> Ticket:
    """The NewSessionTicket of TLS 1.2 and older. Raises Malformed."""
    reader = Reader(body)
    lifetime = reader.number(4)
    reader.vector(2)
    return Ticket(lifetime)


def parse_ticket_tls13(body: bytes) -> Ticket:
    """The NewSessionTicket of TLS 1.3. Raises Malformed."""
    reader = Reader(body)
    lifetime = reader.number(4)
    reader.take(4)
    reader.vector(1)
    reader.vector(2)
    early = _extensions(reader.vector(2)).get(_EARLY_DATA)
    return Ticket(lifetime, 0 if early is None else Reader(early).number(4))


def _extensions(content: bytes) -> dict[int, bytes]:
    reader, found = Reader(content), dict[int, bytes]()
    while reader.left:
        kind = reader.number(2)
        if len(found) == _EXTENSIONS_MAX:
            raise Malformed("too many extensions")
        found.setdefault(kind, reader.vector(2))
    return found
