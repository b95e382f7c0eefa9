"""One posture for a host whose addresses answer differently: what a client may meet at any of them. Pure.

Whatever one address accepts, the host accepts; a protection that one address lacks, the host lacks; what is not known
of one address is not known of the host, unless another one has decided it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from vigilo.events.posture import (
    GROUPS_MAX,
    NOTES_MAX,
    SUITES_MAX,
    GroupsPosture,
    Posture,
    SuiteOrder,
    Support,
    VersionPosture,
)
from vigilo.tls.vulnerabilities.finding import worst
from vigilo.tls.wire import code_points as code

_OLDER = tuple(name for version, name in code.VERSION_NAMES.items() if code.SSL3 <= version < code.TLS13)
_NEWEST = code.VERSION_NAMES[code.TLS13]
_NEVER_SEEN = VersionPosture(version="")

T = TypeVar("T")
Pick = Callable[[Posture], Support]


def merge(postures: Sequence[Posture]) -> Posture:
    """The posture of all addresses together. Not for empty sequences.

    One posture, however often, is itself; in which order they come makes no difference. Where lists differ, those of
    the address that sorts first lead. `connections` is their sum, `duration_ms` the longest; `address` is None.
    """
    if not postures:
        raise ValueError("no posture to merge")
    apart = sorted(dict.fromkeys(postures), key=lambda one: (one.address or "", one.model_dump_json()))
    if len(apart) == 1:
        return apart[0]
    older = [one for one in apart if not _rejects(one, _OLDER)] or apart
    return Posture(
        versions=tuple(_version(name, apart) for name in _names(apart)),
        groups=_groups([(one.groups, _rejects(one, (_NEWEST,))) for one in apart]),
        groups_tls12=_groups([(one.groups_tls12, _needs_no_group(one)) for one in apart]),
        dh_bits=min((one.dh_bits for one in apart if one.dh_bits is not None), default=None),
        compression=_any_accepts(one.compression for one in apart),
        secure_renegotiation=_all_accept(one.secure_renegotiation for one in older),
        fallback_scsv=_all_accept(one.fallback_scsv for one in older),
        extended_master_secret=_all_accept(one.extended_master_secret for one in older),
        encrypt_then_mac=_all_accept(one.encrypt_then_mac for one in older),
        session_tickets=_any_accepts(one.session_tickets for one in apart),
        alpn=tuple(sorted(_union(one.alpn for one in apart))),
        throttled=any(one.throttled for one in apart),
        notes=_union((_difference(apart), *(one.notes for one in apart)))[:NOTES_MAX],
        vulnerabilities=worst(one.vulnerabilities for one in apart),
        address=None,
        connections=sum(one.connections for one in apart),
        duration_ms=max((one.duration_ms for one in apart if one.duration_ms is not None), default=None),
    )


def _any_accepts(supports: Iterable[Support]) -> Support:
    return _first_of(supports, Support.ACCEPTED, Support.UNKNOWN, Support.REJECTED)


def _all_accept(supports: Iterable[Support]) -> Support:
    return _first_of(supports, Support.REJECTED, Support.UNKNOWN, Support.ACCEPTED)


def _first_of(found: Iterable[T], *by_weight: T) -> T:
    there = list(found)
    return next(one for one in by_weight if one in there)


def _version(name: str, postures: Sequence[Posture]) -> VersionPosture:
    all_of_it = [_of_version(one, name) for one in postures]
    accepting = [one for one in all_of_it if one.support is Support.ACCEPTED]
    suites = _union(one.suites for one in all_of_it)
    return VersionPosture(
        version=name,
        support=_any_accepts(one.support for one in all_of_it),
        suites=suites[:SUITES_MAX],
        suites_count=max(len(suites), *(one.suites_count for one in all_of_it)),
        complete=all(one.complete for one in all_of_it),
        order=_order(one.order for one in accepting),
        chacha_first=_first_of((one.chacha_first for one in accepting), False, None, True) if accepting else None,
    )


def _of_version(posture: Posture, name: str) -> VersionPosture:
    return next((one for one in posture.versions if one.version == name), _NEVER_SEEN)


def _names(postures: Sequence[Posture]) -> tuple[str, ...]:
    known = tuple(code.VERSION_NAMES.values())
    names = _union(tuple(one.version for one in posture.versions) for posture in postures)
    return tuple(sorted(names, key=lambda name: known.index(name) if name in known else len(known)))


def _order(orders: Iterable[SuiteOrder | None]) -> SuiteOrder | None:
    found = list(orders)
    return _first_of(found, SuiteOrder.CLIENT, None, SuiteOrder.SERVER) if found else None


def _groups(found: Sequence[tuple[GroupsPosture | None, bool]]) -> GroupsPosture | None:
    """`found`: groups of each address, and whether having none is an answer."""
    there = [groups for groups, _ in found if groups is not None]
    if not there:
        return None
    return GroupsPosture(
        groups=_union(one.groups for one in there)[:GROUPS_MAX],
        complete=all(is_none_fine if groups is None else groups.complete for groups, is_none_fine in found),
        order=_order(one.order for one in there),
    )


def _rejects(posture: Posture, names: Iterable[str]) -> bool:
    return all(_of_version(posture, name).support is Support.REJECTED for name in names)


def _needs_no_group(posture: Posture) -> bool:
    versions = [_of_version(posture, name) for name in _OLDER]
    return all(
        one.support is Support.REJECTED or (one.complete and not any("ECDH" in suite for suite in one.suites))
        for one in versions
    )


def _union(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for one in lists for item in one))


def _difference(postures: Sequence[Posture]) -> tuple[str, ...]:
    """One line that names what the addresses do not have in common; none where they have all."""
    names = tuple(dict.fromkeys(_differing(postures)))
    return (f"the addresses differ: {', '.join(names)}",) if names else ()


def _differing(postures: Sequence[Posture]) -> Iterator[str]:
    for name in _names(postures):
        versions = [_of_version(one, name) for one in postures]
        if len({one.support for one in versions}) > 1:
            yield name
        elif len({frozenset(one.suites) for one in versions}) > 1:
            yield f"suites of {name}"
    for what, pick in _COMPARED:
        if len({pick(one) for one in postures}) > 1:
            yield what


def _set_of_groups(groups: GroupsPosture | None) -> frozenset[str]:
    return frozenset() if groups is None else frozenset(groups.groups)


_COMPARED: tuple[tuple[str, Callable[[Posture], object]], ...] = (
    ("groups", lambda one: (_set_of_groups(one.groups), _set_of_groups(one.groups_tls12))),
    ("DH size", lambda one: one.dh_bits),
    ("compression", lambda one: one.compression),
    ("secure renegotiation", lambda one: one.secure_renegotiation),
    ("fallback SCSV", lambda one: one.fallback_scsv),
    ("extended master secret", lambda one: one.extended_master_secret),
    ("encrypt-then-MAC", lambda one: one.encrypt_then_mac),
    ("session tickets", lambda one: one.session_tickets),
    ("ALPN", lambda one: frozenset(one.alpn)),
)
