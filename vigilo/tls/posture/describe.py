"""From what probes found to the posture in a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vigilo.events.posture import (
    GROUPS_MAX,
    NOTES_MAX,
    SUITES_MAX,
    GroupsPosture,
    Posture,
    Support,
    VersionPosture,
)
from vigilo.tls.posture.answers import Chosen
from vigilo.tls.posture.below_tls13 import GroupsFound, VersionFound
from vigilo.tls.posture.bundles import is_cbc
from vigilo.tls.posture.tls13 import Tls13Found
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.suite_names import suite_name

_ONLY_SHORT_HELLOS = "answers only short hellos with few extensions"
_NEEDS_SHARE = "TLS 1.3: does not answer a hello without key share, as RFC 8446 section 4.2.8 says it should"


@dataclass(frozen=True, slots=True)
class Found:
    """All that one enumeration found. `chosen` is every offer that was taken; `believable` False discards negatives."""

    versions: Sequence[VersionFound]
    tls13: Tls13Found
    groups: GroupsFound | None = None
    fallback_scsv: Support = Support.UNKNOWN
    chosen: Sequence[Chosen] = ()
    throttled: bool = False
    believable: bool = True
    notes: Sequence[str] = field(default=())


def best_with_suites(versions: Iterable[VersionFound]) -> VersionFound | None:
    """The newest accepted version below TLS 1.3, or None."""
    accepted = [one for one in versions if one.support is Support.ACCEPTED and code.SSL3 <= one.version < code.TLS13]
    return max(accepted, key=lambda one: one.version, default=None)


def describe_posture(found: Found, *, address: str, connections: int, duration_ms: int) -> Posture:
    """The posture as the snapshot holds it: names instead of numbers, lists capped."""
    believe: Callable[[Support], Support] = _believed if found.believable else _doubted
    versions = (*found.versions, found.tls13.version)
    return Posture(
        versions=tuple(_version(one, believe) for one in versions),
        groups=_groups(found.tls13.groups, believable=found.believable),
        groups_tls12=_groups(found.groups, believable=found.believable),
        fallback_scsv=believe(found.fallback_scsv),
        **ride_alongs(found.chosen),
        throttled=found.throttled,
        notes=tuple(dict.fromkeys((*_stumbles(versions), *found.notes)))[:NOTES_MAX],
        address=address,
        connections=connections,
        duration_ms=duration_ms,
    )


def ride_alongs(chosen: Sequence[Chosen]) -> dict[str, Any]:
    """What servers show beside their choices, as fields of a Posture: what was shown once is there."""
    return {
        "dh_bits": min((one.dh_bits for one in chosen if one.dh_bits is not None), default=None),
        "compression": _ride_along(chosen, lambda one: one.hello.compression != 0),
        "secure_renegotiation": _ride_along(chosen, _has(code.RENEGOTIATION_INFO), ssl3=True),
        "extended_master_secret": _ride_along(chosen, _has(code.EXTENDED_MASTER_SECRET)),
        "encrypt_then_mac": _ride_along([one for one in chosen if is_cbc(one.suite)], _has(code.ENCRYPT_THEN_MAC)),
        "session_tickets": _ride_along(chosen, _has(code.SESSION_TICKET)),
        "alpn": _protocols(chosen),
    }


def is_stumble(note: str) -> bool:
    """True for a note that says that the server had to be asked in hellos made for it."""
    return note.endswith(_ONLY_SHORT_HELLOS) or note == _NEEDS_SHARE


def _believed(support: Support) -> Support:
    return support


def _doubted(support: Support) -> Support:
    return Support.UNKNOWN if support is Support.REJECTED else support


def _version(found: VersionFound, believe: Callable[[Support], Support]) -> VersionPosture:
    support = believe(found.support)
    return VersionPosture(
        version=code.VERSION_NAMES[found.version],
        support=support,
        suites=tuple(suite_name(suite) for suite in found.suites[:SUITES_MAX]),
        suites_count=len(found.suites),
        complete=found.complete and believe is _believed,
        order=found.order,
        chacha_first=found.chacha_first,
    )


def _groups(found: GroupsFound | None, *, believable: bool) -> GroupsPosture | None:
    if found is None:
        return None
    names = tuple(code.group_name(group) for group in found.groups[:GROUPS_MAX])
    return GroupsPosture(groups=names, complete=found.complete and believable, order=found.order)


def _has(extension: int) -> Callable[[Chosen], bool]:
    return lambda one: extension in one.hello.extensions


def _ride_along(chosen: Iterable[Chosen], shows: Callable[[Chosen], bool], *, ssl3: bool = False) -> Support:
    """What servers show beside their choice, below TLS 1.3 and where it was asked for: one that shows it is enough."""
    oldest = code.SSL3 if ssl3 else code.TLS10
    asked = [one for one in chosen if oldest <= one.hello.version < code.TLS13 and not one.offer.plain]
    if not asked:
        return Support.UNKNOWN
    return Support.ACCEPTED if any(shows(one) for one in asked) else Support.REJECTED


def _protocols(chosen: Iterable[Chosen]) -> tuple[str, ...]:
    names = {one.hello.alpn for one in chosen if one.hello.alpn is not None}
    return tuple(name.decode("utf-8", errors="backslashreplace") for name in sorted(names))[:NOTES_MAX]


def _stumbles(versions: Sequence[VersionFound]) -> list[str]:
    notes = []
    for one in versions:
        if one.template is not None and one.template.plain:
            notes.append(f"{code.VERSION_NAMES[one.version]}: {_ONLY_SHORT_HELLOS}")
        if one.template is not None and one.template.share:
            notes.append(_NEEDS_SHARE)
    return notes
