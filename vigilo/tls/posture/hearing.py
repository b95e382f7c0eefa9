"""From a connection's bytes to the answer to one probe. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer, compressions
from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.records import ChangeCipherSpec, FatalAlert, Item, Message, Records
from vigilo.tls.wire.server_hello import (
    CERTIFICATE,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    ServerHello,
    parse_dh_bits,
    parse_ec_group,
    parse_server_hello,
)
from vigilo.tls.wire.suite_names import suite_name

_CERTIFICATE_STATUS = 22
_BEFORE_KEY_EXCHANGE = frozenset({CERTIFICATE, _CERTIFICATE_STATUS})
_ECDHE = ("TLS_ECDHE_RSA_", "TLS_ECDHE_ECDSA_", "TLS_ECDH_anon_")
_DHE = ("TLS_DHE_RSA_", "TLS_DHE_DSS_", "TLS_DH_anon_")


@dataclass(slots=True)
class Hearing:
    """Listens to one connection until the offer is answered."""

    offer: Offer
    _records: Records = field(default_factory=Records)
    _hello: ServerHello | None = None

    def feed(self, data: bytes) -> Answer | None:
        """The answer, or None while more bytes are needed. Raises nothing for any bytes."""
        try:
            # One by one: MariaDB adds an error packet of its own, in the clear, behind a TLS alert.
            for item in self._records.each(data):
                answer = None if isinstance(item, ChangeCipherSpec) else self._hear(item)
                if answer is not None:
                    return answer
        except Malformed as flaw:
            return self._without_key_exchange() or Unclear(f"not TLS as we know it: {flaw}")
        return None

    def ended(self, how: str, *, silent: bool = False) -> Answer:
        """The answer when no more bytes come, `how` being the reason. `silent`: time was up."""
        left = not silent and self._records.received == 0
        return self._without_key_exchange() or Unclear(how, silent=silent, left=left)

    def _hear(self, item: Item) -> Answer | None:
        if isinstance(item, FatalAlert):
            return self._without_key_exchange() or Refused(alert=item.description)
        if not isinstance(item, Message):
            return self._without_key_exchange() or Unclear("encrypted before its ServerHello")
        if self._hello is not None:
            return self._hear_key_exchange(self._hello, item)
        if item.kind != SERVER_HELLO:
            return Unclear(f"handshake message {item.kind} where ServerHello was expected")
        return self._hear_hello(parse_server_hello(item.body))

    def _hear_hello(self, hello: ServerHello) -> Answer | None:
        flaw = _flaw(self.offer, hello)
        if flaw is not None:
            return flaw
        if self.offer.version == code.TLS13:
            return _key_share(self.offer, hello)
        self._hello = hello
        name = suite_name(hello.suite)
        return None if name.startswith((*_ECDHE, *_DHE)) else Chosen(self.offer, hello)

    def _hear_key_exchange(self, hello: ServerHello, message: Message) -> Answer | None:
        if message.kind in _BEFORE_KEY_EXCHANGE:
            return None
        if message.kind != SERVER_KEY_EXCHANGE:
            return Chosen(self.offer, hello)
        if suite_name(hello.suite).startswith(_DHE):
            return Chosen(self.offer, hello, dh_bits=parse_dh_bits(message.body))
        group = parse_ec_group(message.body)
        if group is None or group in self.offer.groups:
            return Chosen(self.offer, hello, group=group)
        return Chosen(self.offer, hello, foreign_group=True)

    def _without_key_exchange(self) -> Chosen | None:
        # The suite was chosen; what came of its key exchange is another question.
        return None if self._hello is None else Chosen(self.offer, self._hello)


def _flaw(offer: Offer, hello: ServerHello) -> Answer | None:
    if hello.version != offer.version:
        if code.SSL3 <= hello.version < offer.version and hello.suite in offer.suites:
            return Refused(older_version=hello.version)
        return Unclear(f"answered in version {hello.version:#06x}, which was not offered")
    if hello.suite not in offer.suites:
        return Unclear(f"chose {suite_name(hello.suite)}, which was not offered")
    if hello.compression not in compressions(offer):
        return Unclear(f"chose compression {hello.compression}, which was not offered")
    if offer.version == code.TLS13 and not (hello.retry or offer.share):
        return Unclear("went on without a key share")
    return None


def _key_share(offer: Offer, hello: ServerHello) -> Answer:
    if hello.group not in offer.groups:
        named = "none" if hello.group is None else code.group_name(hello.group)
        return Unclear(f"chose the group {named}, which was not offered")
    return Chosen(offer, hello, group=hello.group)
