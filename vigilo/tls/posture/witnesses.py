"""Which suites and groups are asked for by themselves, so that nothing a grade depends on can vanish unseen. Pure.

One answer proves one suite and one group. All of them would take as many connections as an enumeration; but a grade
asks for kinds (RC4, forward secrecy, a post-quantum group ...), and one member of a kind is its witness.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vigilo.events.posture import SuiteOrder
from vigilo.tls.posture import traits
from vigilo.tls.posture.bundles import is_ecdhe
from vigilo.tls.posture.known import Known, KnownVersion
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.suite_names import suite_name

Fact = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Witness:
    """The suite and the group at these places of a version's lists: the first the server is to choose of what is left.

    `group` counts in the curves or, for TLS 1.3, in its groups. `chacha` asks with ChaCha20 ahead instead.
    """

    version: int
    suite: int
    group: int = 0
    chacha: bool = False


def must_see(known: Known) -> tuple[Witness, ...]:
    """The fewest that cover every fact a grade may depend on (greedily), the opening one first."""
    candidates = list(_candidates(known))
    facts = {one: frozenset(_facts(known, one)) for one in candidates}
    first = _opening(known)
    chosen, left = [first], frozenset[Fact]().union(*facts.values()) - facts[first]
    while left:
        best = max(candidates, key=lambda one: len(facts[one] & left))
        chosen.append(best)
        left -= facts[best]
    return tuple(chosen)


def may_see(known: Known, chosen: Sequence[Witness], *, seed: str, count: int) -> tuple[Witness, ...]:
    """So many more, drawn by the seed: all others have their turn sooner or later."""
    seen = {(one.version, one.suite) for one in chosen}
    groups_seen = {(one.version, one.group) for one in chosen}
    drawn: list[Witness] = []
    for one in sorted(_all(known), key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).digest()):
        new_suite, new_group = (one.version, one.suite) not in seen, (one.version, one.group) not in groups_seen
        if len(drawn) < count and (one.chacha or new_suite or (new_group and _has_groups(known, one))):
            drawn.append(one)
            seen.add((one.version, one.suite))
            groups_seen.add((one.version, one.group))
    return tuple(drawn)


def _opening(known: Known) -> Witness:
    return Witness(code.TLS13 if known.newest is None else known.newest.version, 0)


def _candidates(known: Known) -> Iterator[Witness]:
    for one in known.older:
        for place in range(len(one.suites)):
            yield Witness(one.version, place)
            if one is known.newest and is_ecdhe(one.suites[place]):
                yield from (Witness(one.version, place, group) for group in _firsts(known.curves) if group)
    if known.tls13 is not None:
        for place in range(len(known.tls13.suites)):
            yield from (Witness(code.TLS13, place, group) for group in _firsts(known.groups))


def _all(known: Known) -> Iterator[Witness]:
    for one in known.older:
        several = range(len(known.curves)) if one is known.newest else (0,)
        for place, suite in enumerate(one.suites):
            yield from (Witness(one.version, place, group) for group in (several if is_ecdhe(suite) else (0,)))
        if one.chacha_first is not None:
            yield Witness(one.version, 0, chacha=True)
    if known.tls13 is not None:
        places = range(len(known.tls13.suites))
        yield from (Witness(code.TLS13, place, group) for place in places for group in range(len(known.groups)))


def _firsts(groups: Sequence[int]) -> tuple[int, ...]:
    """The first place, and the first of each kind."""
    kinds = [traits.group_traits(code.group_name(group)) for group in groups]
    return tuple(sorted({0, *(kinds.index(kind) for kind in kinds)}))


def _has_groups(known: Known, one: Witness) -> bool:
    newest = known.newest
    if one.version == code.TLS13:
        return True
    return newest is not None and one.version == newest.version and is_ecdhe(newest.suites[one.suite])


def _facts(known: Known, one: Witness) -> Iterator[Fact]:
    version = known_version(known, one.version)
    name = suite_name(version.suites[one.suite])
    yield "version", one.version
    yield from _suite_facts(known, one.version, name)
    if version is known.newest and version.order is SuiteOrder.CLIENT:
        yield "another first choice", bool(one.suite)
    groups = known.groups if one.version == code.TLS13 else known.curves
    if _has_groups(known, one) and groups:
        kinds = traits.group_traits(code.group_name(groups[one.group]))
        yield from (("group", (one.version, kind)) for kind in kinds)


def _suite_facts(known: Known, version: int, name: str) -> Iterator[Fact]:
    for trait in traits.suite_traits(name):
        if trait not in traits.WEAKNESSES or version >= code.TLS11 or not _newer_have(known, trait):
            yield "suites", trait
    if version == code.SSL3 and traits.CBC in traits.suite_traits(name):
        yield "CBC in SSL 3", True
    rank = traits.dh_rank(name)
    if rank is not None and rank == min(_dh_ranks(known)):
        yield "DH size", rank


def _newer_have(known: Known, trait: str) -> bool:
    newer = [one for one in known.older if one.version >= code.TLS11]
    return any(trait in traits.suite_traits(suite_name(suite)) for one in newer for suite in one.suites)


def _dh_ranks(known: Known) -> Iterable[int]:
    ranks = (traits.dh_rank(suite_name(suite)) for one in known.older for suite in one.suites)
    return [rank for rank in ranks if rank is not None]


def known_version(known: Known, version: int) -> KnownVersion:
    """An accepted version by its number. Raises StopIteration for others."""
    return next(one for one in (*known.older, known.tls13) if one is not None and one.version == version)
