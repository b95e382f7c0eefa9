"""Real TLS after a scripted dialogue: what a mail, directory, chat or database server does, in a thread on loopback."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from OpenSSL import SSL

from tests.fakes.tls_server import TlsServer, _context, _feed, _flush, _until_done

LDAP_OK = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
MYSQL_GREETING = (
    b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00abcdefgh\x00\xff\xff\x21\x02\x00\xff\xdf\x15"
    + bytes(10)
    + b"ijklmnopqrst\x00mysql_native_password\x00"
)


@dataclass(frozen=True, slots=True)
class Say:
    """Sends bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Expect:
    """Reads until these bytes have come; what comes instead is an error of the server."""

    end: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Lets the client wait."""

    seconds: float


Dialogue = Sequence[Say | Expect | Pause]

SMTP: Dialogue = (
    Say(b"220-mx.test\r\n220 ESMTP\r\n"),
    Expect(b"\r\n"),
    Say(b"250-mx.test\r\n250-STARTTLS\r\n250 SIZE\r\n"),
    Expect(b"STARTTLS\r\n"),
    Say(b"220 go ahead\r\n"),
)
IMAP: Dialogue = (
    Say(b"* OK IMAP4rev1 ready\r\n"),
    Expect(b"a1 CAPABILITY\r\n"),
    Say(b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n"),
    Expect(b"a2 STARTTLS\r\n"),
    Say(b"a2 OK begin\r\n"),
)
POP3: Dialogue = (Say(b"+OK ready\r\n"), Expect(b"STLS\r\n"), Say(b"+OK begin\r\n"))
FTP: Dialogue = (Say(b"220-FTP\r\n220 ready\r\n"), Expect(b"AUTH TLS\r\n"), Say(b"234 go\r\n"))
LDAP: Dialogue = (Expect(b"1.3.6.1.4.1.1466.20037"), Say(LDAP_OK))
XMPP: Dialogue = (
    Expect(b"streams'>"),
    Say(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' version='1.0'>"),
    Say(b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"),
    Expect(b"/>"),
    Say(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
)
POSTGRESQL: Dialogue = (Expect(b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), Say(b"S"))
MYSQL: Dialogue = (Say(MYSQL_GREETING), Expect(b"\x00\x8a\x00\x00\xff\xff\xff\x00\x21" + bytes(23)))


@dataclass(slots=True)
class StarttlsServer(TlsServer):
    """`dialogue`, then TLS. `heard_before` is what clients said in the clear, `heard_inside` what they said in TLS.

    With `greeting` the server says that inside TLS first, as servers on direct ports do (then `dialogue` is empty).
    `answer` is what it says inside TLS to the first thing it hears. `then_dialogue` is for all but the first client.
    `most_at_once` counts clients between greeting and end.
    """

    dialogue: Dialogue = ()
    greeting: bytes = b""
    answer: bytes = b""
    then_dialogue: Dialogue | None = None
    most_at_once: int = 0
    _at_once: int = 0
    heard_before: list[bytes] = field(default_factory=list)
    heard_inside: list[bytes] = field(default_factory=list)

    def _converse(self, connection: socket.socket, serving: object, staple: bytes | None) -> None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._talk(connection, staple)
        finally:
            self._at_once -= 1

    def _talk(self, connection: socket.socket, staple: bytes | None) -> None:
        heard = bytearray()
        self.heard_before.append(b"")
        number = len(self.heard_before) - 1
        for step in self.dialogue if number == 0 or self.then_dialogue is None else self.then_dialogue:
            if isinstance(step, Say):
                connection.sendall(step.data)
                continue
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            mark = len(heard)
            while not bytes(heard[mark:]).endswith(step.end):
                # Not a byte too many: what follows is TLS.
                data = connection.recv(1)
                if not data:
                    raise EOFError("the client left")
                heard += data
                self.heard_before[number] = bytes(heard)
        self._inside(connection, staple)

    def _inside(self, connection: socket.socket, staple: bytes | None) -> None:
        tls = SSL.Connection(_context(self.serving, staple), None)
        tls.set_accept_state()
        _until_done(tls, connection)
        self.completed += 1
        self.server_names.append(tls.get_servername())
        if self.greeting:
            tls.sendall(self.greeting)
            _flush(tls, connection)
        heard, answered = bytearray(), False
        with contextlib.suppress(SSL.ZeroReturnError, EOFError):
            while True:
                try:
                    heard += tls.recv(4096)
                except SSL.WantReadError:
                    if heard and self.answer and not answered:
                        answered = True
                        tls.sendall(self.answer)
                        _flush(tls, connection)
                    _feed(tls, connection)
        self.heard_inside.append(bytes(heard))
        if tls.get_shutdown() & SSL.RECEIVED_SHUTDOWN:
            self.clean_closes += 1
