"""A posture as numbers, for asking again; or why it cannot be checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vigilo.events.posture import GroupsPosture, Posture, SuiteOrder, Support, VersionPosture
from vigilo.tls.posture.bundles import all_suites, is_ecdhe
from vigilo.tls.posture.describe import is_stumble
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.suite_names import SUITE_NAMES

_VERSIONS: Mapping[str, int] = MappingProxyType({name: number for number, name in code.VERSION_NAMES.items()})
_SUITES: Mapping[str, int] = MappingProxyType({name: number for number, name in SUITE_NAMES.items()})
_GROUPS: Mapping[str, int] = MappingProxyType({name: number for number, name in code.GROUP_NAMES.items()})


class NotCheckable(Exception):
    """A posture that says too little, or too much, to be proved again; the message is the reason."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """One accepted version, SSL 3 to TLS 1.3. `suites` in the order in which the server chose them."""

    version: int
    suites: tuple[int, ...]
    order: SuiteOrder | None
    chacha_first: bool | None

    @property
    def others(self) -> tuple[int, ...]:
        """The suites that it refused; not for TLS 1.3."""
        return tuple(suite for suite in all_suites(self.version) if suite not in self.suites)

    @property
    def ecdhe(self) -> tuple[int, ...]:
        """Its suites with an ephemeral key on a curve."""
        return tuple(suite for suite in self.suites if is_ecdhe(suite))


@dataclass(frozen=True, slots=True)
class Known:
    """What a complete posture says. `older` are the accepted versions up to TLS 1.2, oldest first.

    `groups` are those of TLS 1.3, `curves` those of the newest older version. `fallback_from` is the version at which
    a fallback was tried (RFC 7507), None where there was nothing to fall back from or no answer.
    """

    posture: Posture
    older: tuple[KnownVersion, ...]
    tls13: KnownVersion | None
    rejected: frozenset[int]
    groups: tuple[int, ...]
    curves: tuple[int, ...]
    fallback_from: int | None

    @property
    def newest(self) -> KnownVersion | None:
        """The newest version up to TLS 1.2."""
        return self.older[-1] if self.older else None


def read_posture(posture: Posture) -> Known:
    """The posture as numbers. Raises NotCheckable for one that is not complete, or cannot be asked in long hellos."""
    if posture.throttled:
        raise NotCheckable("the server had stopped answering")
    if any(is_stumble(note) for note in posture.notes):
        raise NotCheckable("the server answers only hellos made for it")
    by_number = {_number(_VERSIONS, one.version): one for one in posture.versions}
    if set(by_number) != set(code.VERSION_NAMES):
        raise NotCheckable("not all versions were asked for")
    accepted = tuple(_known(number, one) for number, one in sorted(by_number.items()) if _is_accepted(one))
    older = tuple(one for one in accepted if one.version < code.TLS13)
    tls13 = next((one for one in accepted if one.version == code.TLS13), None)
    if not accepted:
        raise NotCheckable("no version was accepted")
    has_curves = bool(older and older[-1].ecdhe and older[-1].version > code.SSL3)
    return Known(
        posture=posture,
        older=older,
        tls13=tls13,
        rejected=frozenset(by_number) - {one.version for one in accepted},
        groups=_groups(posture.groups) if tls13 is not None else (),
        curves=_groups(posture.groups_tls12) if has_curves else (),
        fallback_from=_fallback_from(posture, accepted),
    )


def _is_accepted(one: VersionPosture) -> bool:
    if one.support is Support.UNKNOWN or not one.complete or one.suites_count != len(one.suites):
        raise NotCheckable(f"{one.version} is not known completely")
    return one.support is Support.ACCEPTED


def _known(number: int, one: VersionPosture) -> KnownVersion:
    if not one.suites:
        raise NotCheckable(f"no suite of {one.version} is known")
    return KnownVersion(number, tuple(_number(_SUITES, name) for name in one.suites), one.order, one.chacha_first)


def _groups(found: GroupsPosture | None) -> tuple[int, ...]:
    if found is None or not found.complete or not found.groups:
        raise NotCheckable("the groups are not known completely")
    return tuple(_number(_GROUPS, name) for name in found.groups)


def _fallback_from(posture: Posture, accepted: tuple[KnownVersion, ...]) -> int | None:
    older = [one.version for one in accepted[:-1]]
    return None if posture.fallback_scsv is Support.UNKNOWN or not older else older[-1]


def _number(numbers: Mapping[str, int], name: str) -> int:
    try:
        return numbers[name] if name in numbers else int(name, 16)
    except ValueError as error:
        raise NotCheckable(f"unknown name {name}") from error
