"""A server of TLS 1.2 and older that says its first flight in the clear and never finishes: any chain of any size.

What no TLS library of today can be made to serve: hundreds of kilobytes of certificates, DSA, keys of 512 bits, bytes
that are no certificate.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.fakes.connections import accepting
from tests.fakes.tls_bytes import message, record, server_hello

_RECORD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Clear:
    """What is said. Hellos of `refuses_versions` get `alert`. `before`: what is said in the clear, and what answers it.

    `demands` are the names (DER) of a CertificateRequest; records hold `fragment` bytes at most.
    """

    chain: Sequence[bytes]
    version: int = 0x0303
    suite: int = 0x002F
    staple: bytes | None = None
    demands: Sequence[bytes] | None = None
    fragment: int = _RECORD
    scts: bytes | None = None
    before: Sequence[tuple[bytes, bytes]] = ()
    refuses_versions: frozenset[int] = frozenset()
    alert: int = 40


def first_flight(clear: Clear) -> bytes:
    """ServerHello, Certificate, perhaps CertificateStatus and CertificateRequest, ServerHelloDone, cut into records."""
    extensions = {} if clear.staple is None else {5: b""}
    extensions |= {} if clear.scts is None else {18: clear.scts}
    said = message(2, server_hello(clear.version, clear.suite, extensions=extensions))
    said += message(11, _vector(3, b"".join(_vector(3, one) for one in clear.chain)))
    if clear.staple is not None:
        said += message(22, b"\x01" + _vector(3, clear.staple))
    if clear.demands is not None:
        algorithms = _vector(2, b"\x04\x01") if clear.version == 0x0303 else b""
        names = _vector(2, b"".join(_vector(2, one) for one in clear.demands))
        said += message(13, b"\x01\x01" + algorithms + names)
    said += message(14, b"")
    pieces = [said[start : start + clear.fragment] for start in range(0, len(said), clear.fragment)]
    return b"".join(record(22, piece, clear.version) for piece in pieces)


def _vector(octets: int, content: bytes) -> bytes:
    return len(content).to_bytes(octets, "big") + content


@contextlib.contextmanager
def clear_server(clear: Clear) -> Iterator[int]:
    """Its port on loopback."""
    said = first_flight(clear)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection, contextlib.suppress(OSError):
            for words, answer in clear.before:
                connection.sendall(words)
                while answer not in connection.recv(4096):
                    pass
            if clear.before:
                connection.sendall(b"220 go ahead\r\n")
            hello = connection.recv(4096)
            offered = int.from_bytes(hello[9:11], "big")
            if offered in clear.refuses_versions:
                connection.sendall(bytes((21, 3, 1, 0, 2, 2, clear.alert)))
                return
            connection.sendall(said)
            connection.recv(4096)

    with accepting(serve) as port:
        yield port
