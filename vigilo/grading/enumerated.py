"""What rules read out of an enumeration. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vigilo.events.posture import Posture, Support
from vigilo.events.scans import Snapshot

_SHOWN = 3


def all_suites(posture: Posture) -> tuple[str, ...]:
    """The suites accepted in any version, each once."""
    return tuple(dict.fromkeys(suite for version in posture.versions for suite in version.suites))


def suites_are_complete(posture: Posture) -> bool:
    """No version is left open. SSL 2 has suites of its own kind, which the rule on versions judges."""
    relevant = [version for version in posture.versions if version.version != "SSLv2"]
    return all(version.complete and version.support is not Support.UNKNOWN for version in relevant)


def accepts_below_tls13(posture: Posture) -> bool:
    """Some version older than TLS 1.3 is accepted, and not only SSL 2."""
    return any(version not in {"SSLv2", "TLSv1.3"} for version in posture.supporting(Support.ACCEPTED))


def versions_accepted(snapshot: Snapshot) -> tuple[str, ...]:
    """The versions known to be accepted, oldest first: by the posture, and by the handshake of this scan."""
    found = () if snapshot.posture is None else snapshot.posture.supporting(Support.ACCEPTED)
    spoken = () if snapshot.tls_version is None else (snapshot.tls_version,)
    # No name of a newer version sorts before that of an older one.
    return tuple(sorted({*found, *spoken}))


def versions_rejected(snapshot: Snapshot) -> tuple[str, ...]:
    """The versions known to be rejected, oldest first. What was refused while the server throttled was not."""
    if snapshot.posture is None or snapshot.posture.throttled:
        return ()
    return tuple(sorted({*snapshot.posture.supporting(Support.REJECTED)} - {*versions_accepted(snapshot)}))


def listed(names: Sequence[str]) -> str:
    """The first three, and how many more."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
