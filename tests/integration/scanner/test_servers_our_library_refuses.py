"""Whatever our TLS library makes of a server: its chain is seen, and it is never called unreachable or failing."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.clear_server import Clear, clear_server
from tests.fakes.foreign_servers import tlslite_server
from tests.fakes.scan_requests import light_request
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.facts import KeyAlgorithm, SctSource
from vigilo.events.handshakes import ReadBy
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome, Snapshot


async def scan(tools: Tools, port: int) -> Snapshot:
    snapshot = await scan_target(light_request("127.0.0.1", port), tools)
    assert snapshot.outcome is Outcome.OK, snapshot.detail
    return snapshot


@pytest.fixture(scope="module")
def rsa_leaf(authority: pki.Authority) -> pki.Issued:
    return authority.leaf("a.test", options=pki.Options(key=pki.rsa_key(2048)))


@pytest.fixture(scope="module")
def weak_leaf() -> pki.Issued:
    return pki.issue(pki.Options(names=("a.test",), key=pki.rsa_key(1024)))


@pytest.mark.parametrize(
    ("newest", "ciphers", "version", "suite"),
    [
        ((3, 0), ("aes128",), "SSLv3", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ((3, 1), ("rc4",), "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA"),
        ((3, 2), ("3des",), "TLSv1.1", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        ((3, 3), ("null",), "TLSv1.2", "TLS_RSA_WITH_NULL_MD5"),
    ],
)
async def test_old_crypto(
    tools: Tools, rsa_leaf: pki.Issued, newest: tuple[int, int], ciphers: tuple[str, ...], version: str, suite: str
) -> None:
    with tlslite_server(rsa_leaf, ciphers=ciphers, key_exchanges=("rsa",), newest=newest) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.tls_version, snapshot.cipher_suite) == (ReadBy.OWN, version, suite)
    assert snapshot.chain[0].san == ("a.test",)
    assert tools.connections <= 4


async def test_what_the_library_takes_is_read_by_it(tools: Tools, weak_leaf: pki.Issued) -> None:
    with tlslite_server(weak_leaf, ciphers=("aes128",), key_exchanges=("rsa",), newest=(3, 1)) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.tls_version, snapshot.chain[0].key_bits) == (ReadBy.LIBRARY, "TLSv1.0", 1024)


@pytest.mark.parametrize("fragment", [16384, 700])
async def test_a_hundred_certificates_of_two_kilobytes(tools: Tools, rsa_leaf: pki.Issued, fragment: int) -> None:
    """More than the 100 KiB OpenSSL takes."""
    padded = pki.issue(pki.Options(names=tuple(f"{number}.{'long' * 10}.test" for number in range(40))))
    assert len(padded.der) > 2000
    with clear_server(Clear((rsa_leaf.der, *[padded.der] * 99), fragment=fragment)) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.chain_count, len(snapshot.chain)) == (ReadBy.OWN, 100, 32)
    assert snapshot.chain[0].san == ("a.test",)
    assert snapshot.chain_shape is not None
    assert snapshot.chain_shape.extra == (1,)
    assert tools.connections == 1


async def test_a_chain_too_large_in_tls13(tools: Tools, authority: pki.Authority) -> None:
    """There it is encrypted, and still it is read."""
    leaf = authority.leaf("a.test")
    padded = pki.issue(pki.Options(names=tuple(f"{number}.{'long' * 10}.test" for number in range(40))))
    chain = (leaf.certificate, *[padded.certificate] * 80)
    with TlsServer(Serving(leaf, chain=chain, oldest=SSL.TLS1_3_VERSION)) as server:
        snapshot = await scan(tools, server.port)
        assert server.accepted == 1
    assert (snapshot.read_by, snapshot.tls_version, snapshot.chain_count) == (ReadBy.OWN, "TLSv1.3", 81)
    assert snapshot.chain[0].san == ("a.test",)


def dsa_certificate() -> bytes:
    key = dsa.generate_private_key(1024)
    builder = pki._builder(pki.Options(names=("dsa.test",)), pki.ec_key(), None)
    builder._public_key = key.public_key()  # pki's own keys are never of DSA
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


async def test_dsa(tools: Tools) -> None:
    served = Clear((dsa_certificate(),), version=0x0301, suite=0x0032, refuses_versions=frozenset({0x0303}))
    with clear_server(served) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.tls_version) == (ReadBy.OWN, "TLSv1.0")
    assert snapshot.cipher_suite == "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"
    assert (snapshot.chain[0].key_algorithm, snapshot.chain[0].key_bits) == (KeyAlgorithm.DSA, 1024)


async def test_export_only(tools: Tools, weak_leaf: pki.Issued) -> None:
    refuses = frozenset({0x0303})
    with clear_server(Clear((weak_leaf.der,), version=0x0300, suite=0x0003, refuses_versions=refuses)) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.tls_version, snapshot.cipher_suite) == ("SSLv3", "TLS_RSA_EXPORT_WITH_RC4_40_MD5")


async def test_bytes_that_are_no_certificate_are_shown_as_such(tools: Tools) -> None:
    with clear_server(Clear((b"\x30\x03\x02\x01\x05",))) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.chain_count) == (ReadBy.OWN, 1)
    assert snapshot.chain[0].parse_error is not None


async def test_staple_and_demand_are_read_too(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("a.test", options=pki.Options(key=pki.rsa_key(2048)))
    staple = pki.ocsp_response(leaf, authority.intermediate)
    names = [pki.name(f"CA {number}").public_bytes() for number in range(30)]
    served = Clear(leaf.chain_der, version=0x0300, staple=staple, demands=names)
    with clear_server(served) as port:
        snapshot = await scan(tools, port)
    assert (snapshot.read_by, snapshot.client_certificate_demanded) == (ReadBy.OWN, True)
    assert snapshot.staple is not None
    assert (snapshot.staple.present, snapshot.staple.signature_valid) == (True, True)
    demand = snapshot.client_certificate
    assert demand is not None
    assert (demand.ca_names[0], len(demand.ca_names), demand.ca_names_count) == ("CN=CA 0", 10, 30)


async def test_timestamps_beside_the_certificate(tools: Tools, rsa_leaf: pki.Issued) -> None:
    """Our library never asks for them; a hello of our own does."""
    timestamp = b"\x00" + b"\x07" * 32 + (1_700_000_000_000).to_bytes(8, "big") + bytes(2) + b"\x04\x03\x00\x00"
    scts = (len(timestamp) + 2).to_bytes(2, "big") + len(timestamp).to_bytes(2, "big") + timestamp
    served = Clear(rsa_leaf.chain_der, version=0x0300, scts=scts)
    with clear_server(served) as port:
        snapshot = await scan(tools, port)
    assert [(one.log_id, one.source) for one in snapshot.scts] == [("07" * 32, SctSource.TLS_EXTENSION)]


async def test_after_starttls(tools: Tools, rsa_leaf: pki.Issued) -> None:
    smtp = ((b"220 mx ESMTP\r\n", b"EHLO"), (b"250-mx\r\n250 STARTTLS\r\n", b"STARTTLS"))
    with clear_server(Clear(rsa_leaf.chain_der, version=0x0300, suite=0x0004, before=smtp)) as port:
        snapshot = await scan_target(light_request("127.0.0.1", port, protocol=Protocol.SMTP), tools)
    assert (snapshot.outcome, snapshot.read_by, snapshot.protocol) == (Outcome.OK, ReadBy.OWN, Protocol.SMTP)
    assert (snapshot.tls_version, snapshot.chain_count) == ("SSLv3", 2)


async def test_a_suite_nobody_offered_is_no_chain(tools: Tools, rsa_leaf: pki.Issued) -> None:
    with clear_server(Clear((rsa_leaf.der,), suite=0xFAFA)) as port:
        snapshot = await scan_target(light_request("127.0.0.1", port), tools)
    assert (snapshot.outcome, snapshot.chain) == (Outcome.TLS_FAILURE, ())
