"""Loopback servers with the holes that Vigilo probes for, each made as the real one was; and safe ones."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.fakes.connections import accepting, pump, read_exactly
from tests.fakes.hostile_server import alert
from tests.fakes.pki import Issued
from tests.fakes.tls_bytes import message, record, server_hello

SUITE = 0x002F  # TLS_RSA_WITH_AES_128_CBC_SHA
SECRET = b"another-customers-password;" * 600
_IO_SECONDS = 10.0
_HEARTBEAT, _CCS, _ALERT, _HANDSHAKE = 24, 20, 21, 22

Content = tuple[int, bytes]
Reader = Callable[[], Content]


@dataclass(slots=True)
class VulnerableServer:
    """Speaks TLS 1.2 as far as ServerHelloDone, then `behave` goes on. Use as a context manager.

    `heartbeat` offers heartbeats. `overread` is the most memory any heartbeat was answered with, in bytes.
    """

    leaf: Issued
    behave: Callable[[VulnerableServer, socket.socket, Reader], None]
    heartbeat: bool = False
    port: int = 0
    accepted: int = 0
    overread: int = 0
    _listening: ExitStack = field(default_factory=ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> VulnerableServer:
        self.port = self._listening.enter_context(accepting(self._count_and_serve))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listening.close()

    def _count_and_serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.accepted += 1
        self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_IO_SECONDS)
        with connection, contextlib.suppress(OSError, EOFError):
            _read_record(connection)
            connection.sendall(self._flight())
            self.behave(self, connection, lambda: _read_record(connection))

    def _flight(self) -> bytes:
        extensions = {15: b"\x01"} if self.heartbeat else None
        der = self.leaf.certificate.public_bytes(Encoding.DER)
        listed = len(der).to_bytes(3, "big") + der
        messages = (
            message(2, server_hello(0x0303, SUITE, extensions=extensions)),
            message(11, len(listed).to_bytes(3, "big") + listed),
            message(14, b""),
        )
        return b"".join(record(_HANDSHAKE, one) for one in messages)


def _read_record(connection: socket.socket) -> Content:
    head = read_exactly(connection, 5)
    return head[0], read_exactly(connection, int.from_bytes(head[3:], "big"))


def heartbleed(server: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """OpenSSL 1.0.1f: copies as many bytes as claimed, from whatever lies behind what came."""
    while True:
        kind, content = read()
        if kind == _HEARTBEAT:
            claimed = int.from_bytes(content[1:3], "big")
            server.overread = max(server.overread, claimed - len(content) + 3)
            echoed = (content[3:] + SECRET)[:claimed]
            connection.sendall(record(_HEARTBEAT, b"\x02" + content[1:3] + echoed + bytes(16)))
        else:
            _end_politely(connection)
            return


def bleeding_always(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Worse than the real one: a kilobyte of memory for any heartbeat, and again for anything else."""
    while True:
        read()
        connection.sendall(record(_HEARTBEAT, b"\x02\x00\x11" + SECRET[:1000]))


def heartbeats_without_padding(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Careless about padding, but never beyond what came."""
    while True:
        kind, content = read()
        if kind != _HEARTBEAT:
            _end_politely(connection)
            return
        claimed = int.from_bytes(content[1:3], "big")
        if claimed <= len(content) - 3:
            connection.sendall(record(_HEARTBEAT, b"\x02" + content[1:3] + content[3 : 3 + claimed] + bytes(16)))


def fixed_heartbeats(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """OpenSSL 1.0.1g and later: drops what is too short for its claim and 16 bytes of padding."""
    while True:
        kind, content = read()
        if kind != _HEARTBEAT:
            _end_politely(connection)
            return
        claimed = int.from_bytes(content[1:3], "big")
        if 3 + claimed + 16 <= len(content):
            connection.sendall(record(_HEARTBEAT, b"\x02" + content[1 : 3 + claimed] + bytes(16)))


def early_ccs(description: int) -> Callable[[VulnerableServer, socket.socket, Reader], None]:
    """OpenSSL before 1.0.1h: takes the ChangeCipherSpec, and cannot decrypt what follows."""

    def behave(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
        kind, _content = read()
        assert kind == _CCS
        read()
        connection.sendall(alert(description))
        _end_politely(connection, said=True)

    return behave


def answering(description: int) -> Callable[[VulnerableServer, socket.socket, Reader], None]:
    """One fatal alert for whatever comes."""

    def behave(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
        read()
        connection.sendall(alert(description))
        _drain(connection)

    return behave


def closing(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Closes at whatever comes."""
    read()
    connection.shutdown(socket.SHUT_WR)
    _drain(connection)


def silent(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Reads, and says nothing more."""
    with contextlib.suppress(EOFError):
        while True:
            read()
    threading.Event().wait(_IO_SECONDS)


def resetting(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Resets at whatever comes."""
    read()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def oracle(by_padding: dict[str, int], *, leaf: Issued) -> Callable[[VulnerableServer, socket.socket, Reader], None]:
    """Answers a key exchange with the alert for its padding: `good`, `bad`, or else `other`."""
    key = leaf.key
    assert isinstance(key, RSAPrivateKey)
    numbers = key.private_numbers()

    def behave(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
        _kind, content = read()
        encrypted = int.from_bytes(content[6:], "big")
        block = pow(encrypted, numbers.d, numbers.public_numbers.n).to_bytes(key.key_size // 8, "big")
        connection.sendall(alert(by_padding[_judge(block)]))
        _drain(connection)

    return behave


def _judge(block: bytes) -> str:
    if block[:2] != b"\x00\x02" or b"\x00" not in block[10:]:
        return "bad"
    return "good" if len(block.partition(b"\x00\x02")[2].partition(b"\x00")[2]) == 48 else "bad"


def moody(_: VulnerableServer, connection: socket.socket, read: Reader) -> None:
    """Answers by turns, whatever comes: several safe servers behind one address."""
    read()
    connection.sendall(alert(20 if _.accepted % 2 else 51))
    _drain(connection)


def _end_politely(connection: socket.socket, *, said: bool = False) -> None:
    if not said:
        with contextlib.suppress(OSError):
            connection.sendall(alert(10))
    _drain(connection)


def _drain(connection: socket.socket) -> None:
    """Closing with unread bytes would be a reset."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@contextmanager
def ticketbleed(target_port: int) -> Iterator[int]:
    """The port of a relay that does to ServerHellos what BIG-IP did: any session id that is echoed has 32 bytes."""

    def carry(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", target_port), _IO_SECONDS) as server:
            client.settimeout(_IO_SECONDS)
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            with contextlib.suppress(OSError, EOFError):
                kind, content = _read_record(server)
                client.sendall(record(kind, _with_long_id(content) if kind == _HANDSHAKE else content))
                pump(server, client)

    with accepting(carry) as port:
        yield port


def _with_long_id(content: bytes) -> bytes:
    end = 4 + int.from_bytes(content[1:4], "big")
    body, rest = content[4:end], content[end:]
    length = body[34]
    if length == 0:
        return content
    echoed = (body[35 : 35 + length] + SECRET)[:32]
    return message(content[0], body[:34] + b"\x20" + echoed + body[35 + length :]) + rest
