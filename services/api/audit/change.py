"""What a command changed, as the audit log tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from vigilo.events.envelope import Event

# When it changed is told by the entry itself.
_UNTOLD: Final = frozenset({"updated_at"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `action`: `<kind>.<verb>` such as `host.edit`; `subject`: `<kind>:<id>`.

    `before` and `after` are JSON values; None stands for "was not there". Secrets do not belong in them: what looks
    like one is masked when the entry is written (masking.py), which is a net and no licence.
    """

    action: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None

    @classmethod
    def between(cls, action: str, subject: str, before: Event | None, after: Event | None) -> Self:
        """The change from one version of a record to another: of an edit only what differs, else all of it."""
        old, new = _told(before), _told(after)
        if old is None or new is None:
            return cls(action, subject, old, new)
        differing = [name for name in new if old.get(name) != new[name]]
        return cls(
            action, subject, {name: old.get(name) for name in differing}, {name: new[name] for name in differing}
        )


def _told(record: Event | None) -> dict[str, Any] | None:
    return None if record is None else record.model_dump(mode="json", exclude=set(_UNTOLD))
