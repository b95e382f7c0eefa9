"""The questions of one posture check: what must be refused, and what must be chosen as before. Pure.

Every version that was off is asked for, every accepted one is offered all that it refused (in one hello: that such a
long one is borne is seen at the opening), and the witnesses are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vigilo.events.posture import SuiteOrder, Support
from vigilo.tls.posture.answers import INAPPROPRIATE_FALLBACK, PROTOCOL_VERSION
from vigilo.tls.posture.bundles import (
    BUNDLE_MAX,
    TLS13_SUITES,
    asked_together,
    is_chacha,
    is_ecdhe,
    rare_bundles,
    usual_suites,
)
from vigilo.tls.posture.known import Known, KnownVersion, NotCheckable
from vigilo.tls.posture.probes import Pick, Probe, Refusal
from vigilo.tls.posture.witnesses import Witness, known_version, may_see, must_see
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import suite_name

CONNECTIONS_MAX = 14
_HELLOS_OF_OLD = (code.SSL3, code.TLS10, code.TLS11, code.TLS12)
_OF_VERSION = frozenset({PROTOCOL_VERSION})
_OF_SUITES = frozenset({40, 71})  # handshake_failure, insufficient_security


@dataclass(frozen=True, slots=True)
class Plan:
    """`opening` comes first and shows that the server is there; `closing` last, and shows that it still is."""

    known: Known
    opening: Pick
    middle: tuple[Probe, ...]
    closing: Pick

    @property
    def connections(self) -> int:
        """How many probes that makes."""
        return len(self.middle) + 2


def plan_check(known: Known, *, seed: str, alpn: bool) -> Plan:
    """The probes, at most CONNECTIONS_MAX; what room is left is filled by drawing from the other suites and groups.

    Application protocols are offered where `alpn` and some were taken before. Raises NotCheckable where a grade depends
    on more than so many connections can prove.
    """
    witnesses, refusals = must_see(known), tuple(_refusals(known))
    room = _room(witnesses, refusals)
    if room < 0 and (telling := _told_by_alerts(known, refusals)):
        witnesses, refusals = must_see(known, each_version=False), telling
        room = _room(witnesses, refusals)
    if room < 0:
        raise NotCheckable(f"more to prove than {CONNECTIONS_MAX} connections can")
    witnesses = (*witnesses, *may_see(known, witnesses, seed=seed, count=room))
    picks = _picks(known, witnesses, alpn=alpn and bool(known.posture.alpn))
    opening, others = picks[0], picks[1:] or picks
    return Plan(known, opening, (*refusals, *others[:-1]), others[-1])


def _room(witnesses: Sequence[Witness], refusals: Sequence[Refusal]) -> int:
    # The closing probe is never the opening one: where there is one witness only, it is asked for twice.
    return CONNECTIONS_MAX - len(refusals) - max(len(witnesses), 2)


def _told_by_alerts(known: Known, refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """The same questions, if their alerts can tell that versions are still spoken; else none.

    A server that says protocol_version to a version it does not speak, and handshake_failure to suites it does not
    take, says the latter of versions that it speaks (RFC 5246 section 7.2.2). Should it answer otherwise, the check has
    proved nothing, and a full scan is due.
    """
    others = {one.version for one in (*known.older[:-1], known.tls13) if one is not None}
    suites = [next(one for one in refusals if one.offer.version == version) for version in others]
    off = [one for one in refusals if one.offer.version in _HELLOS_OF_OLD and one.offer.version in known.rejected]
    if not suites or not off or off[0].older:
        return ()
    told = {off[0]: _OF_VERSION, **dict.fromkeys(suites, _OF_SUITES)}
    return tuple(replace(one, alerts=told.get(one, one.alerts)) for one in refusals)


def _picks(known: Known, witnesses: Sequence[Witness], *, alpn: bool) -> tuple[Pick, ...]:
    """One for each witness, the opening first; one carries the fallback signal that the server is known to ignore."""
    picks = [_pick(known, one, alpn=alpn, opening=one is witnesses[0]) for one in witnesses]
    if known.posture.fallback_scsv is Support.REJECTED and known.fallback_from is not None:
        place = next(place for place, one in enumerate(witnesses) if one.version == known.fallback_from)
        offer = picks[place].offer
        picks[place] = replace(picks[place], offer=replace(offer, suites=(*offer.suites, code.FALLBACK_SCSV)))
    return tuple(picks)


def _pick(known: Known, one: Witness, *, alpn: bool, opening: bool) -> Pick:
    if one.version == code.TLS13:
        return _pick_tls13(known, one)
    version = known_version(known, one.version)
    suite, suites = _chacha_ahead(version) if one.chacha else _in_adverse_order(version, one.suite)
    if opening:
        # All there is: a server that takes one of these before its first choice has added it, or follows its clients.
        suites = (
            (*suites, *_unknown(version)) if _follows_clients(version) else _chacha_last((*_unknown(version), *suites))
        )
    groups, expected = _curves(known, version, suite, one.group)
    offer = Offer(one.version, suites, groups, alpn=alpn and one.version == code.TLS12)
    return Pick(offer, suite, expected)


def _pick_tls13(known: Known, one: Witness) -> Pick:
    suite, suites = _in_adverse_order(known_version(known, code.TLS13), one.suite)
    groups = known.groups[one.group :]
    return Pick(Offer(code.TLS13, suites, groups), suite, frozenset(groups[:1]))


def _in_adverse_order(version: KnownVersion, place: int) -> tuple[int, tuple[int, ...]]:
    """The suite at `place` and an offer of which it is chosen only if everything is as it was.

    Where the server's order counts, those it liked better are left out, and it comes last. Where the client's does, it
    comes first of all: a server that has an order of its own now would have to like each suite best in turn.
    """
    suite, suites = version.suites[place], version.suites
    if _follows_clients(version):
        return suite, (suite, *suites[:place], *suites[place + 1 :])
    part = next(part for part in asked_together(version.version, suites) if suite in part)
    liked_less = part[part.index(suite) + 1 :]
    return suite, (suite, *liked_less) if version.order is None else _chacha_last((*liked_less[::-1], suite))


def _chacha_last(suites: tuple[int, ...]) -> tuple[int, ...]:
    """ChaCha at the head would be taken for a wish, by servers that grant it."""
    return tuple(sorted(suites, key=is_chacha))


def _chacha_ahead(version: KnownVersion) -> tuple[int, tuple[int, ...]]:
    parts = asked_together(version.version, version.suites)
    part = next(part for part in parts if any(is_chacha(suite) for suite in part))
    chacha = tuple(suite for suite in part if is_chacha(suite))
    others = tuple(suite for suite in part if not is_chacha(suite))
    return chacha[0] if version.chacha_first else part[0], (*chacha, *others[::-1])


def _follows_clients(version: KnownVersion) -> bool:
    return version.order is SuiteOrder.CLIENT


def _curves(known: Known, version: KnownVersion, suite: int, place: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The curves to offer, and those that may be agreed on; in older versions any, as they were never listed there."""
    if version.version == code.SSL3:
        return (), frozenset()
    if version is not known.newest or not known.curves:
        return code.EC_GROUPS, frozenset()
    # A curve that may be an ECDSA certificate's has to stay in the list (RFC 8422 section 2.3).
    by_ecdsa = "_ECDSA_" in suite_name(suite)
    kept = tuple(curve for curve in known.curves[:place] if by_ecdsa and curve in code.NIST_GROUPS)
    return (*known.curves[place:], *kept), frozenset((known.curves[place], *kept)) if is_ecdhe(suite) else frozenset()


def _refusals(known: Known) -> Iterator[Refusal]:
    yield from _versions_off(known)
    for version in known.older:
        yield Refusal(Offer(version.version, _unknown(version), _all_curves(version.version)))
    if known.curves and known.newest is not None:
        yield from _curves_off(known, known.newest)
    if known.tls13 is not None:
        yield from _tls13_off(known, known.tls13)
    if known.posture.fallback_scsv is Support.ACCEPTED and known.fallback_from is not None:
        suites = known_version(known, known.fallback_from).suites[: BUNDLE_MAX - 1]
        offer = Offer(known.fallback_from, (*suites, code.FALLBACK_SCSV), _all_curves(known.fallback_from))
        yield Refusal(offer, alerts=frozenset({INAPPROPRIATE_FALLBACK}))


def _versions_off(known: Known) -> Iterator[Refusal]:
    """A hello offers all versions up to its own, so one asks for a whole run of them; SSL 2 and TLS 1.3 stand apart."""
    if code.SSL2 in known.rejected:
        yield Refusal(Offer(code.SSL2, ()))
    accepted = frozenset(one.version for one in known.older)
    for version in _HELLOS_OF_OLD:
        if version in known.rejected and (version == code.TLS12 or version + 1 in accepted):
            older = frozenset(one for one in accepted if one < version)
            yield Refusal(Offer(version, _everything(version), _all_curves(version)), older=older)
    if code.TLS13 in known.rejected:
        yield Refusal(Offer(code.TLS13, TLS13_SUITES, code.TLS13_GROUPS), older=accepted)


def _curves_off(known: Known, version: KnownVersion) -> Iterator[Refusal]:
    others = tuple(curve for curve in code.EC_GROUPS if curve not in known.curves)
    by_rsa = tuple(suite for suite in version.ecdhe if "_ECDSA_" not in suite_name(suite))
    kept = () if by_rsa else tuple(curve for curve in known.curves if curve in code.NIST_GROUPS)
    if others:
        yield Refusal(Offer(version.version, by_rsa or version.ecdhe, (*others, *kept)), groups=frozenset(kept))


def _tls13_off(known: Known, version: KnownVersion) -> Iterator[Refusal]:
    suites = tuple(suite for suite in TLS13_SUITES if suite not in version.suites)
    groups = tuple(group for group in code.TLS13_GROUPS if group not in known.groups)
    if suites:
        yield Refusal(Offer(code.TLS13, suites, code.TLS13_GROUPS))
    if groups:
        yield Refusal(Offer(code.TLS13, version.suites, groups))


def _unknown(version: KnownVersion) -> tuple[int, ...]:
    return tuple(suite for suite in _everything(version.version) if suite not in version.suites)


def _everything(version: int) -> tuple[int, ...]:
    return (*usual_suites(version), *(suite for bundle in rare_bundles(version) for suite in bundle))


def _all_curves(version: int) -> tuple[int, ...]:
    return code.EC_GROUPS if version > code.SSL3 else ()
