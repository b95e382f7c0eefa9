"""TLS messages as a server writes them, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vigilo.tls.wire.server_hello import RETRY_RANDOM


def record(kind: int, content: bytes, version: int = 0x0303) -> bytes:
    """One record."""
    return bytes((kind,)) + version.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def message(kind: int, body: bytes) -> bytes:
    """One handshake message."""
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def server_hello(
    version: int,
    suite: int,
    *,
    retry: bool = False,
    compression: int = 0,
    extensions: Mapping[int, bytes] | None = None,
) -> bytes:
    """The body of a ServerHello, without an extensions field unless there are some."""
    body = version.to_bytes(2, "big") + (RETRY_RANDOM if retry else bytes(range(32))) + b"\x00"
    body += suite.to_bytes(2, "big") + bytes((compression,))
    if not extensions:
        return body
    shown = b"".join(
        kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content for kind, content in extensions.items()
    )
    return body + len(shown).to_bytes(2, "big") + shown


def hello_record(version: int, suite: int, **more: object) -> bytes:
    """A ServerHello as it goes over the wire."""
    return record(22, message(2, server_hello(version, suite, **more)))  # type: ignore[arg-type]


def retry_record(suite: int, group: int) -> bytes:
    """A HelloRetryRequest for TLS 1.3."""
    extensions = {43: b"\x03\x04", 51: group.to_bytes(2, "big")}
    return record(22, message(2, server_hello(0x0303, suite, retry=True, extensions=extensions)))


def ecdhe_exchange(group: int) -> bytes:
    """The body of an ECDHE ServerKeyExchange, its signature cut off."""
    return b"\x03" + group.to_bytes(2, "big") + b"\x04" + bytes(4)


def ssl2_hello(ciphers: Sequence[int]) -> bytes:
    """SSL 2's SERVER-HELLO with a certificate of four bytes."""
    listed = b"".join(cipher.to_bytes(3, "big") for cipher in ciphers)
    body = b"\x04\x00\x01\x00\x02" + b"".join(size.to_bytes(2, "big") for size in (4, len(listed), 16))
    body += b"cert" + listed + bytes(16)
    return (0x8000 | len(body)).to_bytes(2, "big") + body
