"""Certificates, staples, demands and tickets as they go over the wire; any bytes give a value or Malformed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.certificate_messages import (
    CERTIFICATE_MAX,
    CERTIFICATES_MAX,
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
from vigilo.tls.wire.reading import Malformed, numbers, vector

PARSERS = (
    parse_certificate,
    parse_certificate_tls13,
    parse_certificate_status,
    partial(parse_certificate_request, version=code.SSL3),
    partial(parse_certificate_request, version=code.TLS12),
    partial(parse_certificate_request, version=code.TLS13),
    parse_ticket,
    parse_ticket_tls13,
)


def extension(kind: int, content: bytes) -> bytes:
    return numbers((kind,)) + vector(2, content)


def chain(*certificates: bytes) -> bytes:
    return vector(3, b"".join(vector(3, one) for one in certificates))


@pytest.mark.parametrize("parse", PARSERS)
@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_malformed(parse: Callable[[bytes], object], data: bytes) -> None:
    with contextlib.suppress(Malformed):
        parse(data)


@given(st.lists(st.binary(max_size=60), max_size=100))
def test_a_chain_keeps_the_first_and_counts_all(certificates: list[bytes]) -> None:
    found = parse_certificate(chain(*certificates))
    assert found == ServedChain(tuple(certificates[:CERTIFICATES_MAX]), len(certificates))
    with_extensions = b"".join(vector(3, one) + vector(2, b"") for one in certificates)
    assert parse_certificate_tls13(vector(1, b"") + vector(3, with_extensions)) == found


def test_a_certificate_too_large_is_not_taken() -> None:
    with pytest.raises(Malformed):
        parse_certificate(chain(bytes(CERTIFICATE_MAX + 1)))


def test_what_stands_beside_the_leaf_in_tls13() -> None:
    beside = extension(code.STATUS_REQUEST, b"\x01" + vector(3, b"staple")) + extension(SCT, b"scts")
    body = vector(1, b"") + vector(3, vector(3, b"leaf") + vector(2, beside) + vector(3, b"ca") + vector(2, b""))
    assert parse_certificate_tls13(body) == ServedChain((b"leaf", b"ca"), 2, b"staple", b"scts")


def test_an_empty_staple_is_none() -> None:
    assert parse_certificate_status(b"\x01" + vector(3, b"")) is None
    with pytest.raises(Malformed):
        parse_certificate_status(b"\x02" + vector(3, b"x"))


def test_demands_of_every_version() -> None:
    names = vector(2, vector(2, b"one") + vector(2, b"two"))
    wanted = Authorities((b"one", b"two"), 2)
    assert parse_certificate_request(b"\x01\x01" + names, code.TLS10) == wanted
    assert parse_certificate_request(b"\x01\x01" + vector(2, b"\x04\x01") + names, code.TLS12) == wanted
    listed = extension(13, b"\x00\x02\x04\x03") + extension(47, names)
    assert parse_certificate_request(vector(1, b"") + vector(2, listed), code.TLS13) == wanted
    assert parse_certificate_request(vector(1, b"") + vector(2, b""), code.TLS13) == Authorities()


def test_tickets() -> None:
    assert parse_ticket(b"\x00\x00\x1c\x20" + vector(2, b"ticket")) == Ticket(7200)
    body = b"\x00\x00\x1c\x20" + bytes(4) + vector(1, b"\x00") + vector(2, b"ticket")
    assert parse_ticket_tls13(body + vector(2, b"")) == Ticket(7200)
    assert parse_ticket_tls13(body + vector(2, extension(42, b"\x00\x00\x40\x00"))) == Ticket(7200, 16384)
