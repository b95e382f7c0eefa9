"""Any bytes give a value or our error; what a real server sends gives what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.tls_bytes import ecdhe_exchange, message, record, server_hello, ssl2_hello
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import SSL2_CIPHERS, Offer, encode, encode_ssl2
from vigilo.tls.wire.reading import Malformed, Reader
from vigilo.tls.wire.records import BYTES_MAX, TRIFLES_MAX, Encrypted, FatalAlert, Message, Records
from vigilo.tls.wire.server_hello import parse_dh_bits, parse_ec_group, parse_server_hello, parse_ssl2
from vigilo.tls.wire.suite_names import SUITE_NAMES, suite_name

RANDOM = bytes(range(96))


@pytest.mark.parametrize("parse", [parse_server_hello, parse_ec_group, parse_dh_bits, parse_ssl2])
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_value_or_malformed(parse: Callable[[bytes], object], data: bytes) -> None:
    try:
        parse(data)
    except Malformed:
        return


@given(st.binary(max_size=60), st.integers(0, 120), st.binary(min_size=1, max_size=3))
def test_a_damaged_hello_gives_a_value_or_malformed(tail: bytes, at: int, damage: bytes) -> None:
    body = bytearray(
        server_hello(code.TLS12, 0xC02F, extensions={code.ALPN: b"\x00\x03\x02h2", 0xFF01: b"\x00"}) + tail
    )
    body[at : at + len(damage)] = damage
    try:
        hello = parse_server_hello(bytes(body))
    except Malformed:
        return
    assert len(hello.extensions) <= 100


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_records_never_hold_more_than_they_were_fed(pieces: list[bytes]) -> None:
    records, fed, given_out = Records(), 0, 0
    try:
        for piece in pieces:
            fed += len(piece)
            given_out += sum(len(item.body) for item in records.feed(piece) if isinstance(item, Message))
    except Malformed:
        pass
    assert given_out <= fed
    assert len(records.warnings) <= TRIFLES_MAX


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 80))
def test_messages_survive_any_cutting_into_records_and_reads(cuts: list[int], fragment: int) -> None:
    """A message may span records, a record may hold many messages, a read may end anywhere."""
    messages = b"".join(message(kind, bytes(kind) * 3) for kind in (2, 11, 12, 14))
    stream = b"".join(record(22, messages[at : at + fragment]) for at in range(0, len(messages), fragment))
    records, found = Records(), list[object]()
    for size in [*cuts, len(stream)]:
        found += records.feed(stream[:size])
        stream = stream[size:]
    assert [item.kind for item in found if isinstance(item, Message)] == [2, 11, 12, 14]


def test_warnings_do_not_end_a_handshake_and_a_flood_of_them_does() -> None:
    warning = record(21, b"\x01\x70")
    records = Records()
    assert records.feed(warning + record(21, b"\x02\x28")) == [FatalAlert(40)]
    assert records.warnings == [112]
    with pytest.raises(Malformed, match="flood"):
        Records().feed(warning * (TRIFLES_MAX + 1))


def test_an_alert_may_come_in_two_records_and_close_notify_ends() -> None:
    assert Records().feed(record(21, b"\x02") + record(21, b"\x46")) == [FatalAlert(70)]
    assert Records().feed(record(21, b"\x01\x00")) == [FatalAlert(0)]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400",
        b"\x16\x02\x00\x00\x01",
        b"\x16\x03\x03\xff\xff",
        record(22, b"\x0b\xff\xff\xff"),
        record(20, b"\x01") * 17,
        record(22, b"") * 17,
        record(21, b"\x03\x28"),
    ],
)
def test_what_is_no_tls_or_too_much_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Records().feed(data)


def test_an_endless_handshake_ends() -> None:
    records = Records()
    chunk = record(22, message(11, bytes(16_000)))
    with pytest.raises(Malformed, match="more than"):
        for _ in range(BYTES_MAX // len(chunk) + 1):
            records.feed(chunk)


def test_application_data_is_told_apart() -> None:
    assert Records().feed(record(23, b"x" * 20)) == [Encrypted()]


def test_a_retry_request_names_suite_and_group() -> None:
    extensions = {code.SUPPORTED_VERSIONS: b"\x03\x04", code.KEY_SHARE: b"\x11\xec"}
    hello = parse_server_hello(server_hello(code.TLS12, 0x1302, retry=True, extensions=extensions))
    assert (hello.version, hello.suite, hello.group, hello.retry) == (code.TLS13, 0x1302, 0x11EC, True)


def test_a_hello_without_extensions_is_one() -> None:
    hello = parse_server_hello(server_hello(code.SSL3, 0x0005))
    assert (hello.version, hello.suite, hello.extensions) == (code.SSL3, 5, {})


def test_an_extension_that_comes_twice_is_malformed() -> None:
    body = server_hello(code.TLS12, 5, extensions={23: b""})
    twice = body[:-6] + b"\x00\x08" + b"\x00\x17\x00\x00" * 2
    with pytest.raises(Malformed, match="twice"):
        parse_server_hello(twice)


def test_key_exchanges() -> None:
    assert parse_ec_group(ecdhe_exchange(29)) == 29
    assert parse_ec_group(b"\x01rest") is None
    assert parse_dh_bits(b"\x00\x80\x80" + bytes(127) + b"\x00\x01\x02") == 1024
    assert parse_dh_bits(b"\x00\x81\x00\x80" + bytes(127)) == 1024  # a leading zero is no bit


def test_ssl2_hellos() -> None:
    assert parse_ssl2(ssl2_hello(SSL2_CIPHERS[:2])) == SSL2_CIPHERS[:2]
    assert parse_ssl2(ssl2_hello(SSL2_CIPHERS)[:20]) is None
    assert parse_ssl2(b"\x80\x03\x00\x00\x01") == ()
    with pytest.raises(Malformed):
        parse_ssl2(record(21, b"\x02\x46"))


def test_our_hello_is_what_the_standard_wants() -> None:
    hello = encode(Offer(code.TLS12, (0xC02F, 0x002F), (29,), alpn=True), sni="a.test", random=RANDOM)
    assert hello[:3] == b"\x16\x03\x01"
    assert int.from_bytes(hello[3:5], "big") == len(hello) - 5
    reader = Reader(hello[9:])
    assert (reader.number(2), reader.take(32)) == (code.TLS12, RANDOM[:32])
    assert (reader.vector(1), reader.vector(2), reader.vector(1)) == (b"", b"\xc0\x2f\x00\x2f", b"\x01\x00")
    extensions, kinds = Reader(reader.vector(2)), list[int]()
    while extensions.left:
        kinds.append(extensions.number(2))
        extensions.vector(2)
    assert reader.left == 0
    assert len(kinds) == len(set(kinds))
    assert {code.SERVER_NAME, code.RENEGOTIATION_INFO, code.ALPN, code.SUPPORTED_GROUPS} <= set(kinds)
    assert code.SUPPORTED_VERSIONS not in kinds


def test_ssl3_gets_no_extensions_but_asks_for_secure_renegotiation() -> None:
    hello = encode(Offer(code.SSL3, (5,), (29,)), sni="a.test", random=RANDOM)
    assert hello[1:3] == b"\x03\x00"
    assert hello.endswith(b"\x00\x04\x00\x05\x00\xff\x02\x01\x00")


def test_tls13_sends_an_empty_key_share_and_no_compression() -> None:
    hello = encode(Offer(code.TLS13, (0x1301,), (29,)), sni=None, random=RANDOM)
    assert b"\x00\x33\x00\x02\x00\x00" in hello
    assert RANDOM[32:64] in hello
    shared = encode(Offer(code.TLS13, (0x1301,), (29,), share=True), sni=None, random=RANDOM)
    assert RANDOM[64:96] in shared


def test_ssl2_hello_tells_its_own_length() -> None:
    hello = encode_ssl2(challenge=bytes(16))
    assert int.from_bytes(hello[:2], "big") & 0x7FFF == len(hello) - 2


def test_suite_names() -> None:
    assert suite_name(0xC02F) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert suite_name(0x1303) == "TLS_CHACHA20_POLY1305_SHA256"
    assert suite_name(0x000A) == "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
    assert suite_name(0xD001) == "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256"
    assert suite_name(0x7A7A) == "0x7A7A"
    assert len(SUITE_NAMES) == len(set(SUITE_NAMES.values())) == 363
    assert code.group_name(23) == "secp256r1"
    assert code.group_name(29) == "x25519"
    assert code.group_name(41) == "curveSM2"
