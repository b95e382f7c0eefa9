from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import pki
from vigilo.events.facts import SctFacts, SctSource
from vigilo.events.scans import SCTS_MAX
from vigilo.tls.certificate import read_certificate
from vigilo.tls.sct import describe_scts, parse_sct_list
from vigilo.tls.wire.reading import Malformed, vector

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEAF = pki.issue(pki.Options(names=("a.test",)))


def sct(log: int, *, version: int = 0, milliseconds: int | None = None) -> bytes:
    """One timestamp as it goes over the wire (RFC 6962 section 3.2), its signature invented."""
    at = round(AT.timestamp() * 1000) if milliseconds is None else milliseconds
    signature = b"\x04\x03" + vector(2, bytes(70))
    return bytes((version,)) + bytes((log,)) * 32 + at.to_bytes(8, "big") + vector(2, b"") + signature


def sct_list(*scts: bytes) -> bytes:
    return vector(2, b"".join(vector(2, one) for one in scts))


def octets(content: bytes) -> bytes:
    size = len(content)
    length = (
        bytes((size,)) if size < 128 else b"\x81" + bytes((size,)) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    )
    return b"\x04" + length + content


def carrying(kind: str, content: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(kind), octets(content))


def test_all_three_sources() -> None:
    embedded = carrying("1.3.6.1.4.1.11129.2.4.2", sct_list(sct(1), sct(2)))
    issuer = pki.issue(pki.Options(common_name="CA", ca=True))
    leaf = pki.issue(pki.Options(names=("a.test",), extensions=((embedded, False),)), issuer)
    found = describe_scts(leaf.der, staple=None, tls_extension=sct_list(sct(3)))
    assert found == (
        SctFacts(log_id="03" * 32, timestamp=AT, source=SctSource.TLS_EXTENSION),
        SctFacts(log_id="01" * 32, timestamp=AT, source=SctSource.EMBEDDED),
        SctFacts(log_id="02" * 32, timestamp=AT, source=SctSource.EMBEDDED),
    )
    assert read_certificate(leaf.der).sct_count == 2


def test_at_most_ten_are_kept() -> None:
    many = sct_list(*(sct(number) for number in range(40)))
    embedded = carrying("1.3.6.1.4.1.11129.2.4.2", many)
    leaf = pki.issue(pki.Options(names=("a.test",), extensions=((embedded, False),)))
    assert len(describe_scts(leaf.der, staple=None, tls_extension=None)) == SCTS_MAX
    assert len(parse_sct_list(many)) == SCTS_MAX
    assert read_certificate(leaf.der).sct_count == 40


def test_unknown_versions_are_passed_over_and_a_far_future_has_no_date() -> None:
    found = parse_sct_list(sct_list(sct(1, version=1), sct(2, milliseconds=2**63)))
    assert [(one.log_id[:2], one.timestamp) for one in found] == [("02", None)]


@pytest.mark.parametrize("data", [b"", b"\x00\x05\x00\x01", sct_list(b"\x00short")])
def test_broken_lists(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_sct_list(data)
    assert describe_scts(LEAF.der, staple=data, tls_extension=data) == ()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert len(describe_scts(data, staple=data, tls_extension=data)) <= SCTS_MAX
