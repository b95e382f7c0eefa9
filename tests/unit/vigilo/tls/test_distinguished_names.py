from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.handshakes import CA_NAMES_MAX
from vigilo.tls.client_certificates import describe_demand
from vigilo.tls.distinguished_names import name_text
from vigilo.tls.wire.certificate_messages import Authorities

NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Müller, Söhne"),
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "test"),
        x509.NameAttribute(NameOID.COMMON_NAME, "CA 1"),
    ]
)


def test_a_name_is_written_as_everywhere_else() -> None:
    assert name_text(NAME.public_bytes()) == NAME.rfc4514_string()
    assert name_text(b"\x30\x00") == ""


def test_what_is_no_name_is_shown_in_hex() -> None:
    assert name_text(b"\x02\x01\x05") == "#020105"


@given(st.binary(max_size=100))
def test_any_bytes_give_text(data: bytes) -> None:
    assert len(name_text(data)) <= 600


@given(st.integers(0, 110), st.binary(min_size=1, max_size=3))
def test_a_damaged_name_gives_text(at: int, damage: bytes) -> None:
    der = bytearray(NAME.public_bytes())
    der[at : at + len(damage)] = damage
    assert isinstance(name_text(bytes(der)), str)


def test_a_demand_shows_the_first_names_and_counts_all() -> None:
    facts = describe_demand(Authorities((NAME.public_bytes(),) * 64, 500), required=None)
    assert (len(facts.ca_names), facts.ca_names_count, facts.required) == (CA_NAMES_MAX, 500, None)
