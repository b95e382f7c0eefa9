"""What one scan says of each address that was enumerated. Pure."""

from __future__ import annotations

from vigilo.events.posture import Posture, Support
from vigilo.events.scans import Snapshot
from vigilo.tls.posture.traits import POST_QUANTUM, group_traits


def views(snapshot: Snapshot) -> tuple[Snapshot, ...]:
    """The snapshot as it would be of each address alone; just the one where nothing tells addresses apart.

    What a throttled enumeration did not see is no statement: such a posture is left out, as if it had not been tried.
    Where addresses differ, `posture` is what any of them accepts, which no client meets: hence one view for each.
    """
    known = tuple(posture for posture in snapshot.address_postures if not posture.throttled)
    if len(known) > 1:
        return tuple(_at(posture, snapshot) for posture in known)
    if snapshot.posture is not None and snapshot.posture.throttled:
        return (snapshot.model_copy(update={"posture": known[0] if known else None}),)
    return (snapshot,)


def _at(posture: Posture, snapshot: Snapshot) -> Snapshot:
    """The handshake was made with one address: of the others only the enumeration tells version and group."""
    update: dict[str, object] = {"posture": posture}
    if posture.address not in {None, snapshot.address}:
        accepted = posture.supporting(Support.ACCEPTED)
        update |= {"address": posture.address, "tls_version": accepted[-1] if accepted else None}
        update |= {"cipher_suite": None, "group": _likely_group(posture)}
    return snapshot.model_copy(update=update)


def _likely_group(posture: Posture) -> str | None:
    groups = posture.groups or posture.groups_tls12
    if groups is None or not groups.groups:
        return None
    hybrid = (name for name in groups.groups if POST_QUANTUM in group_traits(name))
    return next(hybrid, groups.groups[0])
