"""Reads what servers answer: ServerHello, HelloRetryRequest, ServerKeyExchange, SSL 2's SERVER-HELLO. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.reading import Malformed, Reader

SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE = 2, 11, 12, 14

# The random of a HelloRetryRequest: SHA-256 of those words (RFC 8446 section 4.1.3).
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_EXTENSIONS_MAX = 100
_NAMED_CURVE = 3
_EXPLICIT_CURVES = frozenset({1, 2})
_SSL2_SERVER_HELLO = 4
_SSL2_ERROR = 0


@dataclass(frozen=True, slots=True)
class ServerHello:
    """One ServerHello or, with `retry`, HelloRetryRequest. `version` is the one negotiated.

    `group` is that of the key share (TLS 1.3); `alpn` the protocol chosen.
    """

    version: int
    suite: int
    compression: int
    retry: bool
    extensions: Mapping[int, bytes] = field(default_factory=dict)
    group: int | None = None
    alpn: bytes | None = None


def parse_server_hello(body: bytes) -> ServerHello:
    """The message without its header. Raises Malformed."""
    reader = Reader(body)
    version, random = reader.number(2), reader.take(32)
    reader.vector(1)
    suite, compression = reader.number(2), reader.number(1)
    extensions = _extensions(reader.vector(2)) if reader.left else {}
    if reader.left:
        raise Malformed(f"{reader.left} bytes after the extensions")
    return ServerHello(
        version=_number(extensions, code.SUPPORTED_VERSIONS) or version,
        suite=suite,
        compression=compression,
        retry=random == RETRY_RANDOM,
        extensions=extensions,
        group=_number(extensions, code.KEY_SHARE),
        alpn=_alpn(extensions),
    )


def _extensions(content: bytes) -> dict[int, bytes]:
    reader, found = Reader(content), dict[int, bytes]()
    while reader.left:
        kind = reader.number(2)
        if kind in found or len(found) == _EXTENSIONS_MAX:
            raise Malformed(f"extension {kind} comes twice, or there are too many")
        found[kind] = reader.vector(2)
    return found


def _number(extensions: Mapping[int, bytes], kind: int) -> int | None:
    return Reader(extensions[kind]).number(2) if kind in extensions else None


def _alpn(extensions: Mapping[int, bytes]) -> bytes | None:
    return Reader(Reader(extensions[code.ALPN]).vector(2)).vector(1) if code.ALPN in extensions else None


def parse_ec_group(body: bytes) -> int | None:
    """The named curve of an ECDHE ServerKeyExchange, None for explicit ones (RFC 8422, 5.4). Raises Malformed."""
    reader = Reader(body)
    kind = reader.number(1)
    if kind in _EXPLICIT_CURVES:
        return None
    if kind != _NAMED_CURVE:
        raise Malformed(f"no curve type {kind}")
    return reader.number(2)


def parse_dh_bits(body: bytes) -> int:
    """Bits of the prime of a DHE ServerKeyExchange (RFC 5246 section 7.4.3). Raises Malformed."""
    return int.from_bytes(Reader(body).vector(2), "big").bit_length()


def parse_ssl2(data: bytes) -> tuple[int, ...] | None:
    """The ciphers of an SSL 2 SERVER-HELLO, none for an error message; None while it is not complete.

    Raises Malformed for anything else, a TLS alert included: then the server does not speak SSL 2.
    """
    if data and not data[0] & 0x80:
        raise Malformed("not SSL 2: records in the clear have no padding")
    if len(data) < 3:
        return None
    length, kind = (data[0] & 0x7F) << 8 | data[1], data[2]
    if kind not in {_SSL2_SERVER_HELLO, _SSL2_ERROR} or length == 0:
        raise Malformed("not SSL 2")
    if len(data) < 2 + length:
        return None
    return _ssl2_ciphers(data[3 : 2 + length]) if kind == _SSL2_SERVER_HELLO else ()


def _ssl2_ciphers(body: bytes) -> tuple[int, ...]:
    reader = Reader(body)
    reader.take(2)
    if reader.number(2) != code.SSL2:
        raise Malformed("an SSL 2 message of another version")
    certificate, ciphers, connection = reader.number(2), reader.number(2), reader.number(2)
    reader.take(certificate)
    found = Reader(reader.take(ciphers))
    reader.take(connection)
    return tuple(found.number(3) for _ in range(ciphers // 3))
