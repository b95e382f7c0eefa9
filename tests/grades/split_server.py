"""A good server with an old one behind the same port: who offers what only the old one has gets it, and its defect.

So the handshake of a client of today succeeds, and what the old server would do is seen by whoever asks for it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.connections import pump, read_exactly
from tests.fakes.pki import Issued
from tests.fakes.tls_bytes import message, record, server_hello
from tests.fakes.vulnerable_server import Reader, VulnerableServer, answering, heartbleed, oracle

_STATIC_RSA = 0x009C  # TLS_RSA_WITH_AES_128_GCM_SHA256
_EXPORT = 0x0003  # TLS_RSA_EXPORT_WITH_RC4_40_MD5
_MODERN = (0xC02F, 0xC030, 0xCCA8)  # what the good server, whose key is RSA, has below TLS 1.3
_HELD_BACK = {0x00FF, 0x5600}  # signalling values are no suites
_HANDSHAKE, _BAD_MAC, _DECRYPT_ERROR = 22, 20, 51
_TLS12 = 0x0303
_RENEGOTIATION_INFO, _HEARTBEAT = 0xFF01, 15

Behaviour = Callable[[VulnerableServer, socket.socket, Reader], None]


class SplitServer(VulnerableServer):
    """`kind` is heartbleed, robot, export or compression; `target_port` the good server's. A context manager."""

    def __init__(self, leaf: Issued, chain: Sequence[x509.Certificate], kind: str, target_port: int) -> None:
        super().__init__(leaf, _behaviour(kind, leaf))
        self._kind, self._target_port = kind, target_port
        self._chain = [one.public_bytes(Encoding.DER) for one in chain]

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError, EOFError):
            first = _read_record(connection)
            reply = self._reply(first[9:]) if first[0] == _HANDSHAKE else None
            if reply is None:
                self._pass_on(first, connection)
                return
            connection.sendall(reply)
            self.behave(self, connection, lambda: _split(_read_record(connection)))

    def _pass_on(self, first: bytes, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target_port), 10) as server:
            server.sendall(first)
            threading.Thread(target=pump, args=(server, client), daemon=True).start()
            pump(client, server)

    def _reply(self, hello: bytes) -> bytes | None:
        """The old server's flight, or None for a hello that is the good one's."""
        suites, compressions, extensions = _offered(hello)
        if int.from_bytes(hello[:2], "big") != _TLS12 or not suites or any(one >> 8 == 0x13 for one in suites):
            return None
        modern = next((one for one in _MODERN if one in suites), None)
        match self._kind:
            case "heartbleed" if _HEARTBEAT in extensions:
                return self._flight_of(suites[0], extensions={_RENEGOTIATION_INFO: b"\x00", _HEARTBEAT: b"\x01"})
            case "compression" if 1 in compressions and modern is not None:
                return self._flight_of(modern, compression=1, extensions={_RENEGOTIATION_INFO: b"\x00"})
            case "robot" if _STATIC_RSA in suites and modern is None:
                return self._flight_of(_STATIC_RSA, extensions={_RENEGOTIATION_INFO: b"\x00"})
            case "export" if _EXPORT in suites and modern is None:
                return self._flight_of(_EXPORT, extensions={_RENEGOTIATION_INFO: b"\x00"})
        return None

    def _flight_of(self, suite: int, *, extensions: dict[int, bytes], compression: int = 0) -> bytes:
        hello = server_hello(_TLS12, suite, compression=compression, extensions=extensions)
        listed = b"".join(len(der).to_bytes(3, "big") + der for der in self._chain)
        certificate = len(listed).to_bytes(3, "big") + listed
        messages = (message(2, hello), message(11, certificate), message(14, b""))
        return b"".join(record(_HANDSHAKE, one) for one in messages)


def _behaviour(kind: str, leaf: Issued) -> Behaviour:
    if kind == "heartbleed":
        return heartbleed
    if kind == "robot":
        return oracle({"good": _BAD_MAC, "bad": _DECRYPT_ERROR}, leaf=leaf)
    return answering(_BAD_MAC)


def _offered(hello: bytes) -> tuple[list[int], bytes, set[int]]:
    """Suites, compression methods and kinds of extensions of a ClientHello's body (RFC 5246 section 7.4.1.2)."""
    at = 35 + hello[34]
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    suites = [int.from_bytes(hello[i : i + 2], "big") for i in range(at + 2, end, 2)]
    compressions = hello[end + 1 : end + 1 + hello[end]]
    at = end + 1 + hello[end] + 2
    extensions = set()
    while at + 4 <= len(hello):
        extensions.add(int.from_bytes(hello[at : at + 2], "big"))
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    return [one for one in suites if one not in _HELD_BACK], compressions, extensions


def _read_record(connection: socket.socket) -> bytes:
    """A whole record, with its head."""
    head = read_exactly(connection, 5)
    return head + read_exactly(connection, int.from_bytes(head[3:], "big"))


def _split(whole: bytes) -> tuple[int, bytes]:
    return whole[0], whole[5:]
