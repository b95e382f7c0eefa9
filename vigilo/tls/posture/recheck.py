"""The questions of one posture check: what must be refused, and what must be chosen as before. Pure.

Every version that was off is asked for, every accepted one is offered all that it refused (in one hello: that such a
long one is borne is seen at the opening), and the witnesses are asked for one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigilo.events.posture import SuiteOrder, Support
from vigilo.tls.posture.bundles import asked_together, is_chacha, is_ecdhe
from vigilo.tls.posture.known import Known, KnownVersion, NotCheckable
from vigilo.tls.posture.probes import Pick, Probe
from vigilo.tls.posture.refusals import curves_for, refusals
from vigilo.tls.posture.witnesses import Witness, known_version, may_see, must_see
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import suite_name

CONNECTIONS_MAX = 14


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
    refused, witnesses = tuple(refusals(known)), must_see(known)
    # The closing probe comes at the end, the opening one at the beginning: a single witness is asked for twice.
    room = CONNECTIONS_MAX - len(refused) - max(len(witnesses), 2)
    if room < 0:
        raise NotCheckable(f"more to prove than {CONNECTIONS_MAX} connections can")
    witnesses = (*witnesses, *may_see(known, witnesses, seed=seed, count=room))
    picks = _picks(known, witnesses, alpn=alpn and bool(known.posture.alpn))
    opening, others = picks[0], picks[1:] or picks
    return Plan(known, opening, (*refused, *others[:-1]), others[-1])


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
        suites = (*suites, *version.others) if _follows_clients(version) else _chacha_last((*version.others, *suites))
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
    if version is not known.newest or not known.curves:
        return curves_for(version.version), frozenset()
    # A curve that may be an ECDSA certificate's has to stay in the list (RFC 8422 section 2.3).
    by_ecdsa = "_ECDSA_" in suite_name(suite)
    kept = tuple(curve for curve in known.curves[:place] if by_ecdsa and curve in code.NIST_GROUPS)
    return (*known.curves[place:], *kept), frozenset((known.curves[place], *kept)) if is_ecdhe(suite) else frozenset()
