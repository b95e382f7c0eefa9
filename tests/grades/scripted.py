"""A TLS 1.2 server by hand that negotiates as a real one does, with one defect."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.hostile_server import alert
from tests.fakes.pki import Issued
from tests.fakes.tls_bytes import message, record, server_hello
from tests.fakes.vulnerable_server import (
    Content,
    Reader,
    VulnerableServer,
    answering,
    early_ccs,
    heartbleed,
    oracle,
)

_SUITE = 0x009C  # TLS_RSA_WITH_AES_128_GCM_SHA256
_EXPORT = 0x0003  # TLS_RSA_EXPORT_WITH_RC4_40_MD5
_SCSV = 0x00FF  # TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 section 3.3)
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_HANDSHAKE_FAILURE, _BAD_MAC, _PROTOCOL_VERSION = 40, 20, 70
_TLS12 = 0x0303
_RENEGOTIATION_INFO, _HEARTBEAT, _SUPPORTED_VERSIONS = 0xFF01, 15, 43

Behaviour = Callable[[VulnerableServer, socket.socket, Reader], None]


class ScriptedServer(VulnerableServer):
    """Refuses versions and suites that are not its own. `kind`: see rows.Scripted. Use as a context manager."""

    def __init__(self, leaf: Issued, chain: Sequence[x509.Certificate], kind: str) -> None:
        super().__init__(leaf, _behaviour(kind, leaf))
        self.kind = kind
        self.chain = [one.public_bytes(Encoding.DER) for one in chain]

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError, EOFError):
            kind, content = _read_record(connection)
            if kind != _HANDSHAKE or content[0] != _CLIENT_HELLO:
                return
            connection.sendall(self._reply(content[4:]))
            self.behave(self, connection, lambda: _read_record(connection))

    def _reply(self, hello: bytes) -> bytes:
        if int.from_bytes(hello[:2], "big") < _TLS12:
            return alert(_PROTOCOL_VERSION)
        suites, compressions, extensions = _offered(hello)
        own = (_EXPORT, _SUITE) if self.kind == "export" else (_SUITE,)
        suite = next((one for one in reversed(own) if one in suites), None)
        if suite is None:
            return alert(_HANDSHAKE_FAILURE)
        shown = {}
        if self.kind != "no-renegotiation-info" and (_RENEGOTIATION_INFO in extensions or _SCSV in suites):
            shown[_RENEGOTIATION_INFO] = b"\x00"
        if self.kind == "heartbleed" and _HEARTBEAT in extensions:
            shown[_HEARTBEAT] = b"\x01"
        deflate = int(self.kind == "compression" and 1 in compressions)
        return self._hello_to_done(server_hello(_TLS12, suite, compression=deflate, extensions=shown))

    def _hello_to_done(self, hello: bytes) -> bytes:
        listed = b"".join(len(der).to_bytes(3, "big") + der for der in self.chain)
        certificate = len(listed).to_bytes(3, "big") + listed
        messages = (message(2, hello), message(11, certificate), message(14, b""))
        return b"".join(record(_HANDSHAKE, one) for one in messages)


def _behaviour(kind: str, leaf: Issued) -> Behaviour:
    match kind:
        case "heartbleed":
            return heartbleed
        case "ccs-injection":
            return early_ccs(_BAD_MAC)
        case "robot":
            return oracle({"good": 20, "bad": 51}, leaf=leaf)
    return answering(_BAD_MAC)


def _offered(hello: bytes) -> tuple[set[int], bytes, set[int]]:
    """Suites, compression methods and kinds of extensions of a ClientHello's body (RFC 5246 section 7.4.1.2)."""
    at = 35 + hello[34]
    length = int.from_bytes(hello[at : at + 2], "big")
    suites = hello[at + 2 : at + 2 + length]
    at += 2 + length
    compressions = hello[at + 1 : at + 1 + hello[at]]
    at += 1 + hello[at] + 2
    extensions = set()
    while at + 4 <= len(hello):
        extensions.add(int.from_bytes(hello[at : at + 2], "big"))
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    return {int.from_bytes(suites[i : i + 2], "big") for i in range(0, len(suites), 2)}, compressions, extensions


def _read_record(connection: socket.socket) -> Content:
    head = _exactly(connection, 5)
    return head[0], _exactly(connection, int.from_bytes(head[3:], "big"))


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
