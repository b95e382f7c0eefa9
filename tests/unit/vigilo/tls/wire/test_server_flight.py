"""What one server says is heard whatever way it is cut, and no bytes do harm."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.clear_server import Clear, first_flight
from tests.fakes.tls_bytes import message, record, server_hello
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.certificate_messages import Ticket
from vigilo.tls.wire.protection import Protection
from vigilo.tls.wire.reading import Malformed
from vigilo.tls.wire.server_flight import FLIGHT_MAX, HANDSHAKE_SECRET, ServerFlight

CLEAR = Clear((b"leaf" * 50, b"ca" * 40), version=code.TLS10, staple=b"staple", demands=(b"name",))


def heard(data: bytes, step: int = 1 << 20) -> ServerFlight:
    flight = ServerFlight(secrets={HANDSHAKE_SECRET: bytes(32)})
    for start in range(0, len(data), step):
        flight.feed(data[start : start + step])
    return flight


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_flight_survives_any_cutting(fragment: int, step: int) -> None:
    flight = heard(
        first_flight(Clear(CLEAR.chain, CLEAR.version, staple=b"staple", demands=(b"name",), fragment=fragment)), step
    )
    assert flight.chain is not None
    assert (flight.chain.certificates, flight.staple, flight.flaw) == (CLEAR.chain, b"staple", None)
    assert flight.authorities is not None
    assert (flight.authorities.names, flight.done, flight.resumed) == ((b"name",), True, False)


def test_what_comes_after_the_change_of_ciphers_is_not_read() -> None:
    ticket = message(4, b"\x00\x00\x00\x3c\x00\x01x")
    said = (
        record(22, message(2, server_hello(code.TLS12, 0xC02F)) + ticket) + record(20, b"\x01") + record(22, bytes(40))
    )
    flight = heard(said)
    assert (flight.tickets, flight.ended, flight.flaw, flight.resumed) == ([Ticket(60)], True, None, True)


def test_a_resumption_of_tls13_shows_in_its_hello() -> None:
    def hello(**extensions: bytes) -> bytes:
        kinds = {
            43: b"\x03\x04",
            51: b"\x00\x1d\x00\x00",
            **{int(kind[1:]): value for kind, value in extensions.items()},
        }
        return record(22, message(2, server_hello(code.TLS12, 0x1301, extensions=kinds)))

    assert heard(hello()).resumed is False
    assert heard(hello(_41=b"\x00\x00")).resumed is True


def test_records_that_do_not_open_end_it() -> None:
    extensions = {43: b"\x03\x04", 51: b"\x00\x1d\x00\x00"}
    said = record(22, message(2, server_hello(code.TLS12, 0x1301, extensions=extensions))) + record(23, bytes(60))
    flight = heard(said)
    assert (flight.ended, flight.flaw) == (True, "a record that cannot be opened")
    without_secret = ServerFlight()
    without_secret.feed(said)
    assert (without_secret.ended, without_secret.flaw) == (True, None)


@given(st.lists(st.binary(max_size=400), max_size=10))
def test_any_bytes_are_borne(pieces: list[bytes]) -> None:
    flight = ServerFlight()
    for piece in pieces:
        flight.feed(piece)
    assert flight.chain is None or len(flight.chain.certificates) <= 64


@given(st.integers(0, 600), st.binary(min_size=1, max_size=6))
@settings(max_examples=200)
def test_damage_is_borne(at: int, damage: bytes) -> None:
    said = bytearray(first_flight(CLEAR))
    said[at : at + len(damage)] = damage
    heard(bytes(said))


def test_a_flood_ends_at_a_megabyte() -> None:
    flight = ServerFlight()
    flight.feed(record(22, message(2, server_hello(code.TLS12, 0xC02F))))
    for _ in range(80):
        flight.feed(record(22, b"\x0b\x0f\xff\xff" + bytes(16380)))
        if flight.ended:
            break
    assert flight.flaw is not None
    assert flight._records.received <= FLIGHT_MAX + 20_000


@given(st.binary(min_size=5, max_size=200), st.sampled_from([0x1301, 0x1302, 0x1303, 0x1304, 0x1305]))
def test_no_bytes_open_by_chance(data: bytes, suite: int) -> None:
    try:
        Protection(suite, bytes(32)).open(data)
    except Malformed:
        return
    raise AssertionError("opened")
