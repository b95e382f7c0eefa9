"""What to offer next in SSL 3 to TLS 1.2: strike what was chosen, offer the rest, until the server refuses. Pure.

Strategies are generators: they yield offers, are sent answers, and return what was found.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from vigilo.events.posture import SuiteOrder, Support
from vigilo.tls.posture.answers import INAPPROPRIATE_FALLBACK, NO_APPLICATION_PROTOCOL, Answer, Chosen, Refused
from vigilo.tls.posture.bundles import (
    BUNDLE_MAX,
    SMALL_BUNDLE,
    asked_together,
    cut,
    is_chacha,
    is_dhe,
    is_ecdhe,
    rare_bundles,
    usual_suites,
)
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer


@dataclass(frozen=True, slots=True)
class VersionFound:
    """One version. `suites` in the order in which they were chosen; `complete` when nothing stayed unclear.

    `order` is None when it was not measured: a single suite, or an unclear answer.
    """

    version: int
    support: Support
    suites: tuple[int, ...] = ()
    complete: bool = False
    order: SuiteOrder | None = None
    chacha_first: bool | None = None
    template: Offer | None = None


@dataclass(frozen=True, slots=True)
class GroupsFound:
    """Groups in the order in which they were chosen; `complete` when the server refused all the others."""

    groups: tuple[int, ...] = ()
    complete: bool = False
    order: SuiteOrder | None = None


Found = Generator[Offer, Answer, VersionFound]


def enumerate_version(version: int, *, alpn: bool) -> Found:
    """All suites of one version, SSL 3 to TLS 1.2, in the server's order."""
    offer = Offer(version, usual_suites(version), code.EC_GROUPS if version > code.SSL3 else (), alpn=alpn)
    offer, first = yield from _open(offer)
    if isinstance(first, Refused) and first.for_its_version:
        return VersionFound(version, Support.REJECTED, complete=True)
    if not isinstance(first, Chosen | Refused):
        return VersionFound(version, Support.UNKNOWN)
    size = SMALL_BUNDLE if offer.plain else BUNDLE_MAX
    bundles = [piece for bundle in rare_bundles(version) for piece in cut(bundle, size)]
    if offer.plain:
        bundles = [*cut(usual_suites(version), size)[1:], *bundles]
    rare, complete = yield from _strike_all(offer, bundles)
    usual, sure = yield from _strike_usual(offer, first, rare)
    found = (*usual, *(suite for suite in rare if suite not in usual))
    complete = complete and sure
    if not found:
        return VersionFound(version, Support.REJECTED if complete else Support.UNKNOWN, complete=complete)
    order, chacha_first = yield from _order(offer, found)
    return VersionFound(version, Support.ACCEPTED, found, complete, order, chacha_first, offer)


def _open(offer: Offer) -> Generator[Offer, Answer, tuple[Offer, Answer]]:
    """The first probe; again without what the server may not bear."""
    answer = yield offer
    if isinstance(answer, Refused) and answer.alert == NO_APPLICATION_PROTOCOL and offer.alpn:
        offer = replace(offer, alpn=False)
        answer = yield offer
    if isinstance(answer, Chosen) or (isinstance(answer, Refused) and answer.alert in _CLEAR_ALERTS):
        return offer, answer
    if isinstance(answer, Refused) and answer.for_its_version:
        return offer, answer
    plain = replace(offer, plain=True, alpn=False, suites=offer.suites[:SMALL_BUNDLE])
    second = yield plain
    if isinstance(second, Chosen):
        return plain, second
    answer, _ = yield from _past_its_own_failure(offer, offer.suites, answer)
    return offer, answer


_CLEAR_ALERTS = frozenset({40, 70, 71})  # handshake_failure, protocol_version, insufficient_security


def _strike(
    offer: Offer, suites: tuple[int, ...], found: tuple[int, ...] = ()
) -> Generator[Offer, Answer, tuple[tuple[int, ...], bool]]:
    """Those of `suites` that are accepted after `found`, in order; False when an answer was unclear."""
    left = tuple(suite for suite in suites if suite not in found)
    aside: tuple[int, ...] = ()
    while left:
        answer = yield replace(offer, suites=left)
        answer, failing = yield from _past_its_own_failure(offer, left, answer)
        if not isinstance(answer, Chosen):
            return found, isinstance(answer, Refused)
        found, aside = (*found, answer.suite), (*aside, *failing)
        left = tuple(suite for suite in left if suite != answer.suite and suite not in failing)
    return (yield from _strike(offer, (*found, *aside), found)) if aside else (found, True)


def _past_its_own_failure(
    offer: Offer, suites: tuple[int, ...], answer: Answer
) -> Generator[Offer, Answer, tuple[Answer, tuple[int, ...]]]:
    """The answer, or that to the same offer without DHE if only then a suite is chosen; and what had to be left out.

    A program without DH parameters may still choose DHE where it prefers it, and then fail: it hangs up, or sends
    internal_error. That says nothing about the other suites of the offer. Dovecot without `ssl_dh` is one.
    """
    ephemeral = tuple(suite for suite in suites if is_dhe(suite))
    clear = not isinstance(answer, Refused) or answer.for_its_version or answer.alert in _CLEAR_ALERTS
    if clear or not 0 < len(ephemeral) < len(suites):
        return answer, ()
    without = yield replace(offer, suites=tuple(suite for suite in suites if suite not in ephemeral))
    return (without, ephemeral) if isinstance(without, Chosen) else (answer, ())


def _strike_all(offer: Offer, bundles: list[tuple[int, ...]]) -> Generator[Offer, Answer, tuple[tuple[int, ...], bool]]:
    found: tuple[int, ...] = ()
    complete = True
    for bundle in bundles:
        more, sure = yield from _strike(offer, bundle)
        found, complete = (*found, *more), complete and sure
    return found, complete


def _strike_usual(
    offer: Offer, first: Chosen | Refused, rare: tuple[int, ...]
) -> Generator[Offer, Answer, tuple[tuple[int, ...], bool]]:
    """The usual suites, together with the rare ones that are accepted: only so is the server's order known."""
    suites = offer.suites
    if isinstance(first, Refused):
        return (), True
    if rare and len(suites) + len(rare) <= BUNDLE_MAX:
        return (yield from _strike(offer, (*suites, *rare)))
    return (yield from _strike(offer, suites, (first.suite,)))


def _order(offer: Offer, found: tuple[int, ...]) -> Generator[Offer, Answer, tuple[SuiteOrder | None, bool | None]]:
    """Whose order counts: the same suites, offered the other way round. ChaCha at the head is a question of its own.

    Only of suites that were asked for together is it known which one the server likes best.
    """
    top, *others = max(asked_together(offer.version, found), key=lambda part: min(len(part), 2))
    chacha = [suite for suite in others if is_chacha(suite)]
    plain = [suite for suite in others if not is_chacha(suite)]
    if not plain:
        return None, None
    answer = yield replace(offer, suites=(*plain[::-1], *chacha, top)[:BUNDLE_MAX])
    if not isinstance(answer, Chosen):
        return None, None
    if answer.suite != top:
        return SuiteOrder.CLIENT, None
    if not chacha:
        return SuiteOrder.SERVER, None
    answer = yield replace(offer, suites=(*chacha, *plain[::-1], top)[:BUNDLE_MAX])
    return SuiteOrder.SERVER, is_chacha(answer.suite) if isinstance(answer, Chosen) else None


def enough_for_groups(answer: Answer) -> VersionFound | None:
    """What groups can be asked for with as soon as one ECDHE suite is chosen: all such suites of that offer, untried.

    None for every other answer, and for servers that bear only short hellos: those need to be told what they know.
    """
    if not isinstance(answer, Chosen) or answer.offer.plain or not is_ecdhe(answer.suite):
        return None
    suites = tuple(suite for suite in answer.offer.suites if is_ecdhe(suite))
    return VersionFound(answer.offer.version, Support.ACCEPTED, suites, template=answer.offer)


def enumerate_groups(found: VersionFound) -> Generator[Offer, Answer, GroupsFound | None]:
    """The curves of one version's ECDHE suites; None where it has none."""
    suites = tuple(suite for suite in found.suites if is_ecdhe(suite))[:BUNDLE_MAX]
    if found.template is None or not suites or found.version == code.SSL3:
        return None
    offer, groups, left = replace(found.template, suites=suites), tuple[int, ...](), code.EC_GROUPS
    kept: tuple[int, ...] = ()
    while left:
        answer = yield replace(offer, groups=(*left, *kept))
        if isinstance(answer, Chosen) and answer.group is not None and answer.group in left:
            groups = (*groups, answer.group)
            left = tuple(group for group in left if group != answer.group)
        elif isinstance(answer, Refused) and not kept and any(group in code.NIST_GROUPS for group in groups):
            # Servers with an ECDSA certificate refuse clients that do not list its curve (RFC 8422 section 2.3).
            kept = tuple(group for group in groups if group in code.NIST_GROUPS)
        else:
            refused = isinstance(answer, Refused) or (isinstance(answer, Chosen) and answer.group in kept)
            return GroupsFound(groups, complete=refused)
    return GroupsFound(groups, complete=True)


def probe_fallback(found: VersionFound) -> Generator[Offer, Answer, Support]:
    """Whether the server notices a client that fell back to a version below its best (RFC 7507)."""
    if found.template is None:
        return Support.UNKNOWN
    answer = yield replace(found.template, suites=(*found.suites[: BUNDLE_MAX - 1], code.FALLBACK_SCSV))
    if isinstance(answer, Refused) and answer.alert == INAPPROPRIATE_FALLBACK:
        return Support.ACCEPTED
    return Support.REJECTED if isinstance(answer, Chosen) else Support.UNKNOWN
