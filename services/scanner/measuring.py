"""What one address showed of itself, as the fields of a snapshot. Pure."""

from __future__ import annotations

from typing import Any

from services.scanner.sightings import AddressSeen, HandshakeSeen
from vigilo.events.facts import SctFacts, StapleFacts, StarttlsFacts
from vigilo.events.handshakes import ReadBy
from vigilo.events.hosts import Protocol
from vigilo.events.scans import ScanRequested
from vigilo.tls.chain import ChainFacts, describe_chain
from vigilo.tls.ocsp import NOT_STAPLED, read_staple
from vigilo.tls.sct import describe_scts


def measured_fields(seen: AddressSeen, request: ScanRequested) -> dict[str, Any]:
    """The fields of a Snapshot that one address filled; none where not a certificate was seen."""
    handshake = seen.handshake
    if handshake is None:
        return {}
    baseline = request.baseline.chain_sha256 if request.baseline is not None else ()
    chain = describe_chain(handshake.chain, baseline_sha256=baseline)
    return {
        "starttls": _starttls(handshake),
        "tls_version": handshake.version,
        "cipher_suite": handshake.cipher_suite,
        "group": handshake.group,
        "alpn": handshake.alpn,
        "read_by": handshake.read_by if handshake.chain else None,
        "client_certificate_demanded": handshake.client_certificate_demanded,
        "client_certificate": handshake.client_certificate,
        "chain": chain.certificates,
        "chain_count": max(chain.count, handshake.served),
        "chain_der": chain.der,
        "chain_der_omitted": chain.der_omitted,
        "chain_shape": chain.shape,
        "scts": _scts(handshake),
        "staple": _staple(seen, handshake, chain),
    }


def _scts(handshake: HandshakeSeen) -> tuple[SctFacts, ...]:
    if not handshake.chain:
        return ()
    return describe_scts(handshake.chain[0], staple=handshake.staple, tls_extension=handshake.scts)


def _starttls(handshake: HandshakeSeen) -> StarttlsFacts | None:
    return None if handshake.protocol is Protocol.TLS else StarttlsFacts(early_bytes=handshake.early_bytes)


def _staple(seen: AddressSeen, handshake: HandshakeSeen, chain: ChainFacts) -> StapleFacts | None:
    """None while a missing staple has been asked for only once: not known is not missing.

    One that our own reader saw none of says nothing: it left before the server had said everything.
    """
    if not chain.certificates:
        return None
    if handshake.staple is not None:
        return read_staple(handshake.staple, handshake.chain)
    if handshake.read_by is ReadBy.OWN:
        return None
    once_is_enough = not chain.certificates[0].ocsp_urls
    return NOT_STAPLED if seen.asked_again or once_is_enough else None
