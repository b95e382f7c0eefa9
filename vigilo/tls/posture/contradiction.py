"""Which postures are believed, and what one handshake proves wrong about them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from vigilo.events.posture import GroupsPosture, Posture, Support, VersionPosture
from vigilo.tls.wire import code_points as code

_TLS13 = "TLSv1.3"
_ORDER = tuple(name for _, name in sorted(code.VERSION_NAMES.items()))
# What was asked for; a group beside these may be accepted without being listed. OpenSSL and IANA differ in case only.
_ASKED_TLS13 = frozenset(code.group_name(group).casefold() for group in code.TLS13_GROUPS)
_ASKED_BELOW = frozenset(code.group_name(group).casefold() for group in code.EC_GROUPS)


class Contradiction(StrEnum):
    """What a handshake negotiated that the posture rules out."""

    VERSION = "version"
    BEST_VERSION = "best-version"
    SUITE = "suite"
    GROUP = "group"


def is_believable(posture: Posture | None) -> bool:
    """True for a posture that says something: one version at least is accepted, and the server answered to the end."""
    return posture is not None and not posture.throttled and bool(posture.supporting(Support.ACCEPTED))


def contradiction(
    posture: Posture, *, version: str | None, suite: str | None = None, group: str | None = None, same_address: bool
) -> Contradiction | None:
    """What the handshake proves wrong about the posture; None where nothing is, or the posture makes no claim.

    Names as in the snapshot. An incomplete list rules nothing out. A server picks the best version it has (RFC 8446
    section 4.1.1), so a lesser one shows that the best is gone: where `same_address`, for others may have less.
    """
    by_name = {one.version: one for one in posture.versions}
    known = None if version is None else by_name.get(version)
    if version is None or known is None or known.support is Support.UNKNOWN:
        return None
    if known.support is Support.REJECTED:
        return Contradiction.VERSION
    accepted = posture.supporting(Support.ACCEPTED)
    if same_address and version != _best(accepted):
        return Contradiction.BEST_VERSION
    if suite is not None and _rules_out_suite(known, suite):
        return Contradiction.SUITE
    if group is not None and _rules_out_group(posture, version, accepted, group):
        return Contradiction.GROUP
    return None


def _best(versions: Iterable[str]) -> str | None:
    return max(versions, key=lambda one: _ORDER.index(one) if one in _ORDER else -1, default=None)


def _rules_out_suite(known: VersionPosture, suite: str) -> bool:
    return known.complete and known.suites_count == len(known.suites) and suite not in known.suites


def _rules_out_group(posture: Posture, version: str, accepted: tuple[str, ...], group: str) -> bool:
    if version == _TLS13:
        return _lacks(posture.groups, group, asked=_ASKED_TLS13)
    if version != _best(one for one in accepted if one != _TLS13):
        return False  # groups were asked for in the best older version only
    return _lacks(posture.groups_tls12, group, asked=_ASKED_BELOW)


def _lacks(found: GroupsPosture | None, group: str, *, asked: frozenset[str]) -> bool:
    name = group.casefold()
    if found is None or not found.complete or not found.groups or name not in asked:
        return False
    return name not in {one.casefold() for one in found.groups}
