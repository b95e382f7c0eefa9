"""Does an input belong to the row it would be applied to? Pure.

The stream base has checked key and partition; what an event says of itself is another matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from vigilo.events.codec import UndecodableRecord, key_uuid
from vigilo.events.envelope import Event
from vigilo.ports.processing import Input


def misplaced(given: Input, *, workspace_id: UUID | None, removable_by: Iterable[str]) -> str | None:
    """Why the input must go to dead-letters, None if it belongs.

    One of: bad-key; wrong-key (the event is about another host than its key); workspace-changed (`workspace_id` is what
    the host's earlier events said, None for none yet); tombstone (in a topic other than those of `removable_by`).
    """
    try:
        key = key_uuid(given.record)
    except UndecodableRecord as error:
        return error.reason
    if given.event is None:
        return None if given.record.topic in removable_by else "tombstone"
    if getattr(given.event, "host_id", None) != key:
        return "wrong-key"
    workspace = workspace_of(given.event)
    return "workspace-changed" if None not in {workspace, workspace_id} and workspace != workspace_id else None


def workspace_of(event: Event) -> UUID | None:
    """The workspace an event speaks of, in its own field or its target's; None for events that name none."""
    owner = getattr(event, "workspace_id", None) or getattr(getattr(event, "target", None), "workspace_id", None)
    return owner if isinstance(owner, UUID) else None
