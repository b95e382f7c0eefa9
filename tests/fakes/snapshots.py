"""Snapshots made to order: what a scanner would have reported of a chain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from tests.fakes.pki import Issued
from vigilo.events.hosts import Target, Trust
from vigilo.events.scans import AddressResult, Depth, Outcome, ScanReason, Snapshot
from vigilo.tls.chain import describe_chain

WORKSPACE = UUID("0198f2aa-0000-7000-8000-0000000000aa")
HOST = UUID("0198f2aa-0000-7000-8000-0000000000bb")


def target(hostname: str = "api.acme.test", *, trust: Trust = Trust.ANY, workspace_id: UUID = WORKSPACE) -> Target:
    """A target on port 443."""
    return Target(workspace_id=workspace_id, host_id=HOST, host_version=1, hostname=hostname, port=443, trust=trust)


def scan_id(number: int) -> UUID:
    """A scan id by number."""
    return uuid5(HOST, f"scan {number}")


def snapshot(
    chain: Sequence[bytes],
    *,
    at: datetime | None = None,
    number: int = 1,
    hostname: str = "api.acme.test",
    trust: Trust = Trust.ANY,
    baseline: Sequence[str] = (),
    **fields: Any,
) -> Snapshot:
    """A successful light scan of a modern server; `fields` overrides anything."""
    moment = at or datetime.now(UTC)
    facts = describe_chain(chain, baseline_sha256=baseline)
    given: dict[str, Any] = {
        "scan_id": scan_id(number),
        "target": target(hostname, trust=trust),
        "requested_at": moment,
        "depth": Depth.LIGHT,
        "reason": ScanReason.SLOT,
        "outcome": Outcome.OK,
        "finished_at": moment,
        "address": "127.0.0.1",
        "tls_version": "TLSv1.3",
        "cipher_suite": "TLS_AES_256_GCM_SHA384",
        "group": "X25519MLKEM768",
        "chain": facts.certificates,
        "chain_count": facts.count,
        "chain_der": facts.der,
        "chain_der_omitted": facts.der_omitted,
        "scanner": "test",
        **fields,
    }
    return Snapshot(**given)


def failed(outcome: Outcome, *, at: datetime | None = None, number: int = 1) -> Snapshot:
    """A scan that ended without a chain."""
    return snapshot((), at=at, number=number, outcome=outcome, detail="no answer", tls_version=None, group=None)


def served_by(address: str, leaf: Issued) -> AddressResult:
    """What one of several addresses answered."""
    return AddressResult(address=address, outcome=Outcome.OK, leaf_sha256=_fingerprint(leaf))


def _fingerprint(leaf: Issued) -> str:
    return describe_chain((leaf.der,)).certificates[0].fingerprint_sha256
