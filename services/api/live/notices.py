"""What one PostgreSQL notification says: which things of a workspace changed, by kind and id. Pure.

A notification is heard by every process of the API, in the order of the commits. It is at most 8,000 bytes long
(PostgreSQL, NOTIFY), so many changes make several. The trigger of migration 0011 writes the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson

CHANNEL: Final = "vigilo_changes"
_MOST_BYTES: Final = 7_900
_FRAME_BYTES: Final = 200

Change = Mapping[str, Any]


class BadNotice(Exception):
    """A notification that is not of this form; the message says why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`changes` happened in `workspace_id` (None: everywhere). `changes` None: too many to name, look at everything.

    `position` is unique; the change number n of a notice is at `{position}.{n}`.
    """

    position: str
    workspace_id: UUID | None
    changes: tuple[Change, ...] | None


def change(kind: str, at: datetime, **ids: UUID | None) -> Change:
    """One change as readers get it: `kind`, the ids that are known, `at` in UTC."""
    named = {name: str(value) for name, value in ids.items() if value is not None}
    return {"kind": kind, **named, "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z")}


def naming(workspace_id: UUID, changes: Iterable[Change]) -> Iterator[str]:
    """Payloads that name these changes, in order, each short enough."""
    taken: list[Change] = []
    size = _FRAME_BYTES
    for one in changes:
        length = len(orjson.dumps(one)) + 1
        if taken and size + length > _MOST_BYTES:
            yield _payload(workspace_id, taken)
            taken, size = [], _FRAME_BYTES
        taken.append(one)
        size += length
    if taken:
        yield _payload(workspace_id, taken)


def everything(workspace_id: UUID | None) -> str:
    """The payload that names none: whoever follows the workspace (None: any) looks at everything again."""
    return _payload(workspace_id, None)


def parsed(payload: str) -> Notice:
    """The notice of a payload. Raises BadNotice."""
    try:
        fields = orjson.loads(payload)
        workspace, changes = fields["workspace"], fields["changes"]
        named = None if changes is None else tuple(_checked(one) for one in changes)
        return Notice(str(fields["position"]), None if workspace is None else UUID(workspace), named)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadNotice(f"{type(error).__name__}: {error}") from error


def _checked(one: Any) -> Change:
    if not isinstance(one["kind"], str) or not one["kind"].replace("-", "").isalpha():
        raise ValueError("no kind")
    return dict(one)


def _payload(workspace_id: UUID | None, changes: Sequence[Change] | None) -> str:
    workspace = None if workspace_id is None else str(workspace_id)
    return orjson.dumps({"position": uuid4().hex, "workspace": workspace, "changes": changes}).decode()
