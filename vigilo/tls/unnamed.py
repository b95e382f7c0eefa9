"""What a server shows who asks for no name (RFC 6066 section 3), in the shape a snapshot carries it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vigilo.events.handshakes import WithoutSni
from vigilo.events.scans import CHAIN_MAX, Outcome
from vigilo.tls.certificate import read_certificate
from vigilo.tls.wire.alerts import alert_name

_NAMES_MAX = 10


def describe_unnamed(version: str | None, chain: Sequence[bytes], *, named_leaf: bytes | None) -> WithoutSni:
    """The chain (DER, leaf first) of a handshake without a name; `named_leaf` is the one served for the name."""
    if not chain:
        return WithoutSni(outcome=Outcome.OK, tls_version=version)
    leaf = read_certificate(chain[0])
    return WithoutSni(
        outcome=Outcome.OK,
        tls_version=version,
        chain_sha256=tuple(hashlib.sha256(one).hexdigest() for one in chain[:CHAIN_MAX]),
        subject=leaf.subject,
        issuer=leaf.issuer,
        san=(*leaf.san, *leaf.san_ip)[:_NAMES_MAX],
        san_count=leaf.san_count,
        not_after=leaf.not_after,
        same_leaf=None if named_leaf is None else chain[0] == named_leaf,
    )


def describe_refusal(outcome: Outcome, detail: str, alert: int | None) -> WithoutSni:
    """A server that wants a name, or at least does not answer without one."""
    return WithoutSni(outcome=outcome, detail=detail, alert=None if alert is None else alert_name(alert))
