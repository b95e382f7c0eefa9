"""Listens to one server from its first byte on: hello, certificates, staple, demand, tickets. Pure.

In TLS 1.2 and older it reads what is said in the clear; in TLS 1.3 the rest as well, given the traffic secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.certificate_messages import (
    SCT,
    Authorities,
    ServedChain,
    Ticket,
    parse_certificate,
    parse_certificate_request,
    parse_certificate_status,
    parse_certificate_tls13,
    parse_ticket,
    parse_ticket_tls13,
)
from vigilo.tls.wire.protection import Protection
from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.records import ChangeCipherSpec, Encrypted, FatalAlert, Item, Message, Records
from vigilo.tls.wire.server_hello import (
    CERTIFICATE,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    ServerHello,
    parse_ec_group,
    parse_server_hello,
)

FLIGHT_MAX = 1024 * 1024  # bytes, all messages together
HANDSHAKE_SECRET, APPLICATION_SECRET = "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"
TICKETS_MAX = 16

_TICKET, _CERTIFICATE_REQUEST, _HELLO_DONE, _FINISHED, _CERTIFICATE_STATUS = 4, 13, 14, 20, 22
_KEY_UPDATE = 24
_PRE_SHARED_KEY = 41
_HANDSHAKE_RECORD = 22


@dataclass(slots=True)
class ServerFlight:
    """What one server has said so far. `secrets` may fill up while it speaks, by their names in a key log.

    `done` is ServerHelloDone (up to TLS 1.2); `finished` is the server's Finished, or the change of ciphers before it.
    `ended` when nothing that follows can be read or tells more; `flaw` says why, if something was wrong.
    """

    secrets: Mapping[str, bytes] = field(default_factory=dict)
    hello: ServerHello | None = None
    chain: ServedChain | None = None
    staple: bytes | None = None
    group: int | None = None
    authorities: Authorities | None = None
    tickets: list[Ticket] = field(default_factory=list)
    alert: int | None = None
    done: bool = False
    finished: bool = False
    ended: bool = False
    flaw: str | None = None
    _records: Records = field(default_factory=lambda: Records(bytes_max=FLIGHT_MAX, message_max=FLIGHT_MAX))
    _inner: Records = field(default_factory=lambda: Records(bytes_max=FLIGHT_MAX, message_max=FLIGHT_MAX))
    _protection: Protection | None = None

    @property
    def scts(self) -> bytes | None:
        """The content of signed_certificate_timestamp, wherever the version puts it."""
        if self.hello is not None and SCT in self.hello.extensions:
            return self.hello.extensions[SCT]
        return None if self.chain is None else self.chain.scts

    @property
    def resumed(self) -> bool | None:
        """Whether the server went on with an earlier session; None until it shows."""
        if self.hello is None or self.hello.retry:
            return None
        if self.hello.version == code.TLS13:
            return _PRE_SHARED_KEY in self.hello.extensions
        if self.chain is not None:
            return False
        return True if self.finished else None

    def feed(self, data: bytes) -> None:
        """Takes more bytes. Raises nothing for any."""
        if self.ended:
            return
        try:
            for item in self._records.each(data):
                self._hear(item)
                if self.ended:
                    return
        except Malformed as flaw:
            self.flaw, self.ended = str(flaw), True

    def _hear(self, item: Item | ChangeCipherSpec) -> None:
        if isinstance(item, FatalAlert):
            self.alert, self.ended = item.description, True
        elif isinstance(item, ChangeCipherSpec):
            self._change_cipher()
        elif isinstance(item, Message):
            self._message(item)
        else:
            self._open(item)

    def _change_cipher(self) -> None:
        """The end of what is readable, but in TLS 1.3, where it means nothing (RFC 8446 appendix D.4)."""
        if self.hello is None or self.hello.version != code.TLS13:
            self.finished, self.ended = self.hello is not None, True

    def _open(self, item: Encrypted) -> None:
        if self.hello is None or self.hello.version != code.TLS13:
            self.ended = True
            return
        if self._protection is None:
            secret = self.secrets.get(APPLICATION_SECRET if self.finished else HANDSHAKE_SECRET)
            if secret is None:
                self.ended = True
                return
            self._protection = Protection(self.hello.suite, secret)
        kind, content = self._protection.open(item.record)
        if kind == _HANDSHAKE_RECORD or not self.finished:
            header = bytes((kind, 3, 3)) + len(content).to_bytes(2, "big")
            for inner in self._inner.feed(header + content):
                self._hear_inner(inner)

    def _hear_inner(self, item: Item) -> None:
        if isinstance(item, FatalAlert):
            self.alert, self.ended = item.description, True
        elif isinstance(item, Message):
            self._message(item)

    def _message(self, message: Message) -> None:
        if self.hello is None or self.hello.retry:
            if message.kind != SERVER_HELLO:
                raise Malformed(f"handshake message {message.kind} where ServerHello was expected")
            self.hello = parse_server_hello(message.body)
        elif self.hello.version == code.TLS13:
            self._message_of_tls13(message)
        else:
            self._message_in_the_clear(message, self.hello.version)

    def _message_in_the_clear(self, message: Message, version: int) -> None:
        if message.kind == CERTIFICATE:
            self.chain = parse_certificate(message.body)
        elif message.kind == _CERTIFICATE_STATUS:
            self.staple = parse_certificate_status(message.body)
        elif message.kind == SERVER_KEY_EXCHANGE:
            self._key_exchange(message.body)
        elif message.kind == _CERTIFICATE_REQUEST:
            self.authorities = parse_certificate_request(message.body, version)
        elif message.kind == _TICKET:
            self._ticket(parse_ticket(message.body))
        elif message.kind == _HELLO_DONE:
            self.done = True

    def _message_of_tls13(self, message: Message) -> None:
        if message.kind == CERTIFICATE:
            self.chain = parse_certificate_tls13(message.body)
            self.staple = self.chain.staple
        elif message.kind == _CERTIFICATE_REQUEST:
            self.authorities = parse_certificate_request(message.body, code.TLS13)
        elif message.kind == _TICKET:
            self._ticket(parse_ticket_tls13(message.body))
        elif message.kind == _FINISHED:
            # What follows is under the next secret.
            self.finished, self._protection = True, None
        elif message.kind == _KEY_UPDATE:
            self.ended = True

    def _ticket(self, ticket: Ticket) -> None:
        if len(self.tickets) < TICKETS_MAX:
            self.tickets.append(ticket)

    def _key_exchange(self, body: bytes) -> None:
        try:
            self.group = parse_ec_group(body)
        except Malformed:  # another key exchange than on a curve
            self.group = None
