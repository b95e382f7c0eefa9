"""Which leaf is the host's own while its addresses, or the servers behind them, go over to another one. Pure.

A leaf becomes the host's when every address that served one serves it. What only some have, what was seen while others
were not waited for, and the return of the leaf that was replaced last are believed after three scans in a row: so one
rollout is one change, whichever address speaks at each scan.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.grader.state import Grades, Rollout
from vigilo.events.cards import PathCertificate
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.card import path_certificate

CONFIRMATIONS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """The host's leaf after a scan, and what is still open about it. `changed`: this scan settled a change."""

    leaf: PathCertificate | None
    rollout: Rollout | None = None
    replaced: str | None = None
    changed: bool = False


def settle(before: Grades, snapshot: Snapshot) -> Standing:
    """What this snapshot makes of the host's leaf."""
    leaf = before.leaf
    if not snapshot.chain:
        return Standing(leaf, before.rollout, before.replaced)
    serving = sum(1 for one in snapshot.addresses if one.leaf_sha256 is not None)
    if leaf is None:
        return Standing(path_certificate(snapshot.chain[0]), Rollout(addresses=serving) if snapshot.rollout else None)
    if snapshot.rollout:
        return Standing(leaf, Rollout(addresses=serving), before.replaced)
    same = snapshot.chain[0].fingerprint_sha256 == leaf.fingerprint_sha256
    doubt = None if same and before.rollout is None else _doubt(before, snapshot, serving)
    if same or doubt is not None:
        return Standing(leaf, doubt, before.replaced)
    return Standing(path_certificate(snapshot.chain[0]), None, leaf.fingerprint_sha256, changed=True)


def _doubt(before: Grades, snapshot: Snapshot, serving: int) -> Rollout | None:
    """What is still open when all that answered serve one leaf; None when nothing is."""
    served = snapshot.chain[0].fingerprint_sha256
    rollout = before.rollout or Rollout(addresses=serving)
    all_looked_at = all(one.outcome is not Outcome.NOT_PERFORMED for one in snapshot.addresses)
    if all_looked_at and serving >= rollout.addresses and served != before.replaced:
        return None
    times = (rollout.times if rollout.candidate == served else 0) + (1 if all_looked_at else 0)
    if times >= CONFIRMATIONS:
        return None
    return Rollout(addresses=rollout.addresses, candidate=served, times=times)
