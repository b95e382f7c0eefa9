"""Which certificates a host serves above its leaf, and when they have become others. Pure.

Servers behind one address, or the addresses of one host, may serve one leaf under different intermediates, and another
one speaks at each scan: so others are believed after three scans in a row.
"""

from __future__ import annotations

from services.grader.rollouts import CONFIRMATIONS, Standing
from services.grader.state import Grades, ServedIssuers, issuers_digest
from vigilo.events.scans import Snapshot


def settle_issuers(before: Grades, snapshot: Snapshot, standing: Standing) -> ServedIssuers | None:
    """What is served above the host's leaf after this snapshot; `standing` is what it made of the leaf.

    A digest other than before under the same leaf is a change of the chain.
    """
    if not snapshot.chain or standing.leaf is None:
        return before.issuers
    if snapshot.chain[0].fingerprint_sha256 != standing.leaf.fingerprint_sha256:
        return before.issuers
    served = issuers_digest(snapshot.chain_sha256)
    known = before.issuers
    if known is None or standing.changed or served == known.digest:
        return ServedIssuers(digest=served)
    times = 1 + (known.times if known.candidate == served else 0)
    if times >= CONFIRMATIONS:
        return ServedIssuers(digest=served)
    return ServedIssuers(digest=known.digest, candidate=served, times=times)
