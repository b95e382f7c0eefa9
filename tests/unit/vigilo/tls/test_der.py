from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.tls.der import NotDer, dotted, elements
from vigilo.tls.keys import describe_key


def test_elements_follow_each_other() -> None:
    assert [(one.tag, one.content) for one in elements(b"\x02\x01\x05\x30\x00")] == [(2, b"\x05"), (0x30, b"")]


@pytest.mark.parametrize("data", [b"\x02", b"\x02\x05\x01", b"\x30\x80", b"\x30\x85\x00\x00\x00\x00\x01\x00"])
def test_broken_der_is_refused(data: bytes) -> None:
    with pytest.raises(NotDer):
        list(elements(data))


@pytest.mark.parametrize(
    ("octets", "text"),
    [("2a864886f70d010101", "1.2.840.113549.1.1.1"), ("551d11", "2.5.29.17"), ("2b6570", "1.3.101.112")],
)
def test_object_identifiers(octets: str, text: str) -> None:
    assert dotted(bytes.fromhex(octets)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_a_key_or_refused(spki: bytes) -> None:
    try:
        describe_key(spki)
    except NotDer:
        return
