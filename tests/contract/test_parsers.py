"""Every parser that hears the network: any bytes, cut anywhere, give a value or our own error, of no surprising size.

A new function that takes bytes in vigilo/tls or services/scanner is noticed here: it needs a line in PARSERS, or a
reason in NOT_PARSERS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scanner.asking import Ssl2Hearing
from services.scanner.peer_words import describe_banner, looks_like_tls
from services.scanner.transcript import Transcript
from tests.contract.byte_takers import functions_that_take_bytes
from tests.fakes import pki
from tests.fakes.tls_bytes import ecdhe_exchange, hello_record, message, record, retry_record, server_hello, ssl2_hello
from vigilo.events.hosts import Protocol
from vigilo.tls.certificate import read_certificate, read_names
from vigilo.tls.chain import describe_chain
from vigilo.tls.chain_shape import describe_shape
from vigilo.tls.der import NotDer, dotted, elements, only
from vigilo.tls.distinguished_names import name_text
from vigilo.tls.hsts import NotHttp, read_head
from vigilo.tls.keys import describe_key
from vigilo.tls.ocsp import read_staple
from vigilo.tls.posture.hearing import Hearing
from vigilo.tls.pss import read_pss
from vigilo.tls.sct import describe_scts, parse_sct_list
from vigilo.tls.starttls import protocols
from vigilo.tls.starttls.dialogue import NeedMore, Party, quoted
from vigilo.tls.unnamed import describe_unnamed
from vigilo.tls.vulnerabilities import ccs, heartbleed, robot, ticketbleed
from vigilo.tls.vulnerabilities.exchange import Exchange, Script, Unclear
from vigilo.tls.vulnerabilities.flight import hear_flight
from vigilo.tls.vulnerabilities.listening import Listener
from vigilo.tls.wire import certificate_messages as messages
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.protection import Protection
from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.records import Records
from vigilo.tls.wire.server_flight import ServerFlight
from vigilo.tls.wire.server_hello import parse_dh_bits, parse_ec_group, parse_server_hello, parse_ssl2

OUR_ERRORS = (Malformed, NotDer, NotHttp, Unclear)

AUTHORITY = pki.Authority.create()
LEAF = AUTHORITY.leaf("a.test", options=pki.Options(key=pki.rsa_key(1024)))
STATIC, ECDHE = Offer(code.TLS12, (0x002F,)), Offer(code.TLS12, (0xC02F, 0x002F), (29, 23))
PARTY = Party(own_name="scanner.test", peer_name="a.test", port=5222)
RANDOM = bytes(range(1, 65)) * (robot.RANDOM_BYTES // 64)

Pieces = Sequence[bytes]


def fed(
    make: Callable[[], Any], feed: str = "feed", result: Callable[[Any], object] = repr
) -> Callable[[Pieces], object]:
    """For those that hear piece by piece; what they say of each piece, and what they know in the end."""

    def run(pieces: Pieces) -> object:
        listener = make()
        said = []
        for piece in filter(None, pieces):  # a socket never gives nothing
            answer = getattr(listener, feed)(piece)
            said.append(list(answer) if isinstance(answer, Iterator) else answer)
        return said, result(listener)

    return run


def joined(parse: Callable[[bytes], object]) -> Callable[[Pieces], object]:
    """For those that want everything at once."""

    def run(pieces: Pieces) -> object:
        value = parse(b"".join(pieces))
        return list(value) if isinstance(value, Iterator) else value

    return run


def played(script: Callable[[], Script[Any]]) -> Callable[[Pieces], object]:
    """A vulnerability probe from its hello to its end."""

    def run(pieces: Pieces) -> object:
        exchange = Exchange(script())
        said = [exchange.begin()]
        for piece in pieces:
            if said[-1] is None:
                break
            said.append(exchange.receive(piece))
        if said[-1] is not None:
            said.append(exchange.quiet())
        if said[-1] is not None:
            said.append(exchange.ended("closed the connection", left=True))
        return said, exchange.result

    return run


def spoken(protocol: Protocol) -> Callable[[Pieces], object]:
    """The dialogue before TLS of one protocol."""

    def run(pieces: Pieces) -> object:
        dialogue = protocols.dialogue(protocol, PARTY)
        step = dialogue.begin()
        for piece in pieces:
            if not isinstance(step, NeedMore) or not piece:
                break
            step = dialogue.receive(piece)
        return step

    return run


def every_dialogue(pieces: Pieces) -> object:
    """All protocols, one after the other."""
    return [spoken(protocol)(pieces) for protocol in sorted(protocols.SPOKEN)]


PARSERS: Mapping[str, Callable[[Pieces], object]] = MappingProxyType(
    {
        "vigilo.tls.certificate:read_certificate": joined(read_certificate),
        "vigilo.tls.certificate:read_names": joined(read_names),
        "vigilo.tls.chain:describe_chain": describe_chain,
        "vigilo.tls.chain_shape:describe_shape": lambda pieces: describe_shape(
            pieces, [read_certificate(one) for one in pieces]
        ),
        "vigilo.tls.der:elements": joined(elements),
        "vigilo.tls.der:only": joined(lambda data: only(data, 0x30)),
        "vigilo.tls.der:dotted": joined(dotted),
        "vigilo.tls.distinguished_names:name_text": joined(name_text),
        "vigilo.tls.hsts:read_head": joined(read_head),
        "vigilo.tls.keys:describe_key": joined(describe_key),
        "vigilo.tls.ocsp:read_staple": joined(lambda data: read_staple(data, LEAF.chain_der)),
        "vigilo.tls.posture.hearing:Hearing.feed": fed(lambda: Hearing(ECDHE), result=lambda one: one.ended("left")),
        "vigilo.tls.pss:read_pss": joined(read_pss),
        "vigilo.tls.sct:describe_scts": joined(lambda data: describe_scts(data, staple=data, tls_extension=data)),
        "vigilo.tls.sct:parse_sct_list": joined(parse_sct_list),
        "vigilo.tls.starttls.dialogue:Dialogue.receive": every_dialogue,
        "vigilo.tls.starttls.dialogue:quoted": joined(quoted),
        "vigilo.tls.starttls.protocols:recognise": joined(lambda data: protocols.recognise(data, 21)),
        "vigilo.tls.unnamed:describe_unnamed": lambda pieces: describe_unnamed(
            "TLSv1.2", pieces, named_leaf=LEAF.chain_der[0]
        ),
        "vigilo.tls.vulnerabilities.ccs:probe_ccs": played(lambda: ccs.probe_ccs(b"hello", STATIC)),
        "vigilo.tls.vulnerabilities.exchange:Exchange.receive": played(lambda: ccs.probe_ccs(b"hello", ECDHE)),
        "vigilo.tls.vulnerabilities.flight:hear_flight": played(lambda: hear_flight(b"hello", ECDHE)),
        "vigilo.tls.vulnerabilities.heartbleed:probe_heartbleed": played(
            lambda: heartbleed.probe_heartbleed(b"hello", STATIC)
        ),
        "vigilo.tls.vulnerabilities.listening:Listener.feed": fed(Listener, result=lambda _: None),
        "vigilo.tls.vulnerabilities.robot:probe_robot": played(
            lambda: robot.probe_robot(b"hello", STATIC, variant=2, random=RANDOM)
        ),
        "vigilo.tls.vulnerabilities.robot:read_rsa_key": joined(robot.read_rsa_key),
        "vigilo.tls.vulnerabilities.ticketbleed:probe_ticketbleed": played(
            lambda: ticketbleed.probe_ticketbleed(b"hello", bytes(31))
        ),
        "vigilo.tls.vulnerabilities.ticketbleed:read_ticket": joined(ticketbleed.read_ticket),
        "vigilo.tls.wire.certificate_messages:parse_certificate": joined(messages.parse_certificate),
        "vigilo.tls.wire.certificate_messages:parse_certificate_request": joined(
            lambda data: [messages.parse_certificate_request(data, version) for version in (code.TLS12, code.TLS13)]
        ),
        "vigilo.tls.wire.certificate_messages:parse_certificate_status": joined(messages.parse_certificate_status),
        "vigilo.tls.wire.certificate_messages:parse_certificate_tls13": joined(messages.parse_certificate_tls13),
        "vigilo.tls.wire.certificate_messages:parse_ticket": joined(messages.parse_ticket),
        "vigilo.tls.wire.certificate_messages:parse_ticket_tls13": joined(messages.parse_ticket_tls13),
        "vigilo.tls.wire.protection:Protection.open": joined(lambda data: Protection(0x1301, bytes(32)).open(data)),
        "vigilo.tls.wire.records:Records.each": fed(Records, "each", lambda one: one.warnings),
        "vigilo.tls.wire.records:Records.feed": fed(Records, result=lambda one: one.warnings),
        "vigilo.tls.wire.server_flight:ServerFlight.feed": fed(
            lambda: ServerFlight(secrets={"SERVER_HANDSHAKE_TRAFFIC_SECRET": bytes(32)})
        ),
        "vigilo.tls.wire.server_hello:parse_dh_bits": joined(parse_dh_bits),
        "vigilo.tls.wire.server_hello:parse_ec_group": joined(parse_ec_group),
        "vigilo.tls.wire.server_hello:parse_server_hello": joined(parse_server_hello),
        "vigilo.tls.wire.server_hello:parse_ssl2": joined(parse_ssl2),
        "services.scanner.asking:Ssl2Hearing.feed": fed(Ssl2Hearing, result=lambda one: one.ended("left")),
        "services.scanner.peer_words:describe_banner": joined(describe_banner),
        "services.scanner.peer_words:looks_like_tls": joined(lambda data: looks_like_tls(data or b"x")),
        "services.scanner.transcript:Transcript.note": fed(
            Transcript, "note", lambda one: (one.flight(), one.hello_extensions())
        ),
    }
)

# They write, or carry what others have judged; the reason is in the verb.
NOT_PARSERS: Mapping[str, str] = MappingProxyType(
    {
        "vigilo.tls.starttls.dialogue:Peer.say": "writes",
        "vigilo.tls.vulnerabilities.ccs:record": "writes",
        "vigilo.tls.vulnerabilities.robot:paddings": "writes",
        "vigilo.tls.wire.client_hello:encode": "writes",
        "vigilo.tls.wire.client_hello:encode_ssl2": "writes",
        "vigilo.tls.wire.protection:expand_label": "derives from our own secrets",
        "vigilo.tls.wire.reading:vector": "writes",
        "services.scanner.asking:Asking.converse": "sends and carries",
        "services.scanner.conversation:Conversation.say": "sends",
        "services.scanner.exchange:send": "sends",
        "services.scanner.handshake:shake_hands": "carries; what it offers is ours",
        "services.scanner.transcript:Transcript.note_secret": "keeps what our own library says",
    }
)


def chain_message() -> bytes:
    """A Certificate message with the real chain."""
    entries = b"".join(len(der).to_bytes(3, "big") + der for der in LEAF.chain_der)
    return message(11, len(entries).to_bytes(3, "big") + entries)


WHOLE_FLIGHT = record(
    22, message(2, server_hello(0x0303, 0x002F, extensions={15: b"\x01", 35: b""})) + chain_message() + message(14, b"")
)
SEEDS = (
    b"",
    LEAF.chain_der[0],
    pki.ocsp_response(LEAF, AUTHORITY.intermediate),
    WHOLE_FLIGHT,
    WHOLE_FLIGHT + record(21, b"\x02\x0a"),
    WHOLE_FLIGHT + record(24, b"\x02\x00\x10" + bytes(32)) * 3,
    WHOLE_FLIGHT + record(22, message(4, bytes(4) + b"\x00\x04tick")) + record(20, b"\x01") + record(22, bytes(40)),
    hello_record(0x0303, 0xC02F) + record(22, message(12, ecdhe_exchange(29))),
    retry_record(0x1301, 29) + record(20, b"\x01") + record(23, bytes(60)),
    server_hello(0x0303, 0xC02F, extensions={16: b"\x00\x03\x02h2", 43: b"\x03\x04"}),
    ssl2_hello((0x010080, 0x0700C0)),
    chain_message()[4:],
    b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n",
    b"220-mail.test\r\n220 ESMTP\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n",
    b"* OK IMAP\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\na2 OK\r\n",
    b"\x0a\x00\x00\x00\x0a8.0.36\x00" + bytes(40),
    b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"<stream:stream><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features><proceed",
)


@st.composite
def hostile_pieces(draw: st.DrawFn) -> list[bytes]:
    """Something real, damaged, with something random behind it, cut anywhere."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4)) if data else 0):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    data += draw(st.binary(max_size=120))
    if draw(st.booleans()) and data:
        del data[draw(st.integers(0, len(data) - 1)) :]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [bytes(data[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60)
@given(pieces=hostile_pieces())
def test_any_bytes_give_a_value_or_our_error(name: str, pieces: list[bytes]) -> None:
    try:
        value = PARSERS[name](pieces)
    except OUR_ERRORS:
        return
    # Twelve dialogues quote the same bytes, facts have hashes and names: a factor, never a product.
    assert len(repr(value)) <= 200 * sum(len(piece) for piece in pieces) + 20_000


@pytest.mark.parametrize("name", PARSERS)
def test_a_megabyte_of_the_same_is_bounded_too(name: str) -> None:
    """What grows without end is cut off: an answer is never a multiple of a flood."""
    for flood in (
        b"\x00",
        b"\x30\x80",
        b"\x16\x03\x03\x00\x00",
        b"\x18\x03\x03\x00\x03\x02\x00\x10",
        b"220-a\r\n",
        b"\xff",
    ):
        data = flood * (1024 * 1024 // len(flood))
        pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
        try:
            value = PARSERS[name](pieces)
        except OUR_ERRORS:
            continue
        assert len(repr(value)) <= 64 * 1024 * 1024


def test_every_function_that_takes_bytes_is_known_here() -> None:
    found = set(functions_that_take_bytes())
    assert found - set(PARSERS) - set(NOT_PARSERS) == set(), "give it a line in PARSERS, or a reason in NOT_PARSERS"
    assert (set(PARSERS) | set(NOT_PARSERS)) - found == set(), "these are no more"
