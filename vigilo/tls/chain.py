"""A chain as served, leaf first, in the shape a snapshot carries it. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from vigilo.events.facts import CertificateFacts, ChainShape
from vigilo.events.scans import CHAIN_MAX
from vigilo.tls.certificate import read_certificate
from vigilo.tls.chain_shape import describe_shape

CHAIN_DER_MAX = 256 * 1024  # bytes of DER, all certificates together; base64 adds a third

SAME_AS_BASELINE = "same as baseline"
TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """`certificates` holds the first 32, `count` tells how many were served.

    `der` is base64 in the same order, or None with the reason in `der_omitted`.
    """

    certificates: tuple[CertificateFacts, ...] = ()
    count: int = 0
    der: tuple[str, ...] | None = None
    der_omitted: str | None = None
    shape: ChainShape | None = None


def describe_chain(chain: Sequence[bytes], *, baseline_sha256: Sequence[str] = ()) -> ChainFacts:
    """The facts of a chain of DER certificates, leaf first, as served. Raises nothing for any bytes.

    `baseline_sha256` are the fingerprints the asker already holds: the same chain is not sent again.
    """
    if not chain:
        return ChainFacts()
    kept = chain[:CHAIN_MAX]
    facts = tuple(read_certificate(der) for der in kept)
    shape = describe_shape(kept, facts)
    omitted = _why_omitted(kept, facts, baseline_sha256)
    der = tuple(base64.b64encode(one).decode("ascii") for one in kept) if omitted is None else None
    return ChainFacts(certificates=facts, count=len(chain), der=der, der_omitted=omitted, shape=shape)


def _why_omitted(
    chain: Sequence[bytes], facts: Sequence[CertificateFacts], baseline_sha256: Sequence[str]
) -> str | None:
    if baseline_sha256 and tuple(one.fingerprint_sha256 for one in facts) == tuple(baseline_sha256):
        return SAME_AS_BASELINE
    return TOO_LARGE if sum(len(one) for one in chain) > CHAIN_DER_MAX else None
