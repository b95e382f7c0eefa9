"""What to offer next in TLS 1.3: an empty key share makes the server name a suite and a group each time. Pure."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from vigilo.events.posture import SuiteOrder, Support
from vigilo.tls.posture.answers import NO_APPLICATION_PROTOCOL, Answer, Chosen, Refused
from vigilo.tls.posture.below_tls13 import GroupsFound, VersionFound
from vigilo.tls.posture.bundles import TLS13_SUITES, is_chacha
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer

_CLEAR_ALERTS = frozenset({40, 70, 71})
_X25519 = 29


@dataclass(frozen=True, slots=True)
class Tls13Found:
    """TLS 1.3: its suites and its groups."""

    version: VersionFound
    groups: GroupsFound | None = None


@dataclass(slots=True)
class _Struck:
    """What has been chosen so far, in order."""

    suites: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()

    def rest(self, offer: Offer) -> Offer:
        return replace(
            offer,
            suites=tuple(suite for suite in TLS13_SUITES if suite not in self.suites),
            groups=tuple(group for group in code.TLS13_GROUPS if group not in self.groups),
        )

    def note(self, answer: Chosen) -> None:
        if answer.suite not in self.suites:
            self.suites = (*self.suites, answer.suite)
        if answer.group is not None and answer.group not in self.groups:
            self.groups = (*self.groups, answer.group)


def enumerate_tls13(*, alpn: bool) -> Generator[Offer, Answer, Tls13Found]:
    """All suites and groups of TLS 1.3, one of each a probe as long as there are both."""
    offer = Offer(code.TLS13, TLS13_SUITES, code.TLS13_GROUPS, alpn=alpn)
    offer, answer = yield from _open(offer)
    if not isinstance(answer, Chosen):
        support = Support.REJECTED if isinstance(answer, Refused) else Support.UNKNOWN
        return Tls13Found(VersionFound(code.TLS13, support, complete=support is Support.REJECTED))
    struck = _Struck()
    while isinstance(answer, Chosen):
        struck.note(answer)
        rest = struck.rest(offer)
        if not rest.suites or not rest.groups:
            break
        answer = yield rest
    suites_sure = yield from _rest_of_suites(offer, struck)
    groups_sure = yield from _rest_of_groups(offer, struck)
    return (yield from _in_order(offer, struck, suites_sure=suites_sure, groups_sure=groups_sure))


def _open(offer: Offer) -> Generator[Offer, Answer, tuple[Offer, Answer]]:
    answer = yield offer
    if isinstance(answer, Refused) and answer.alert == NO_APPLICATION_PROTOCOL and offer.alpn:
        offer = replace(offer, alpn=False)
        answer = yield offer
    if isinstance(answer, Chosen) or (isinstance(answer, Refused) and _is_clear(answer)):
        return offer, answer
    # Not every server bears a hello without any key share, as it should (RFC 8446 section 4.2.8).
    shared = replace(offer, share=True, alpn=False)
    second = yield shared
    return (shared, second) if isinstance(second, Chosen | Refused) else (offer, answer)


def _is_clear(answer: Refused) -> bool:
    return answer.for_its_version or answer.alert in _CLEAR_ALERTS


def _rest_of_suites(offer: Offer, struck: _Struck) -> Generator[Offer, Answer, bool]:
    while rest := struck.rest(offer).suites:
        answer = yield replace(offer, suites=rest, groups=struck.groups)
        if not isinstance(answer, Chosen):
            return isinstance(answer, Refused)
        struck.note(answer)
    return True


def _rest_of_groups(offer: Offer, struck: _Struck) -> Generator[Offer, Answer, bool]:
    while rest := struck.rest(offer).groups:
        share = offer.share and _X25519 in rest
        answer = yield replace(offer, suites=struck.suites, groups=rest, share=share)
        if not isinstance(answer, Chosen):
            return isinstance(answer, Refused)
        struck.note(answer)
    return True


def _in_order(
    offer: Offer, struck: _Struck, *, suites_sure: bool, groups_sure: bool
) -> Generator[Offer, Answer, Tls13Found]:
    """The same suites and groups the other way round: whose order counts?

    A server that did not choose in the order of our offers has its own: then only ChaCha at the head is a question.
    """
    own = struck.suites != tuple(suite for suite in TLS13_SUITES if suite in struck.suites)
    suite_order, group_order = SuiteOrder.SERVER if own else None, None
    chacha_first: bool | None = None
    plain = tuple(suite for suite in struck.suites[1:] if not is_chacha(suite))[::-1]
    chacha = tuple(suite for suite in struck.suites[1:] if is_chacha(suite))
    top, backwards = struck.suites[:1], struck.groups[::-1]
    if (not own and (plain or chacha)) or (not chacha and len(backwards) > 1):
        answer = yield replace(offer, suites=(*plain, *top, *chacha), groups=backwards)
        backwards = struck.groups
        if isinstance(answer, Chosen):
            suite_order = suite_order or (_whose(answer.suite, struck.suites) if plain else None)
            group_order = _whose(answer.group, struck.groups)
    if chacha and suite_order is not SuiteOrder.CLIENT:
        answer = yield replace(offer, suites=(*chacha, *plain, *top), groups=backwards)
        if isinstance(answer, Chosen):
            chacha_first = is_chacha(answer.suite) if plain or own else None
            suite_order = suite_order or _whose(answer.suite, struck.suites)
            group_order = _whose(answer.group, struck.groups) if own else group_order
    found = VersionFound(
        code.TLS13, Support.ACCEPTED, struck.suites, suites_sure, suite_order, chacha_first, template=offer
    )
    return Tls13Found(found, GroupsFound(struck.groups, groups_sure, group_order))


def _whose(chosen: int | None, found: tuple[int, ...]) -> SuiteOrder | None:
    if len(found) < 2:
        return None
    return SuiteOrder.SERVER if chosen == found[0] else SuiteOrder.CLIENT
