"""Strategies against servers that are a few lines of pure code: what is found is what the server is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigilo.events.posture import SuiteOrder, Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.below_tls13 import (
    VersionFound,
    enough_for_groups,
    enumerate_groups,
    enumerate_version,
    probe_fallback,
)
from vigilo.tls.posture.bundles import BUNDLE_MAX, TLS13_SUITES, is_chacha, is_dhe, rare_bundles, usual_suites
from vigilo.tls.posture.tls13 import enumerate_tls13
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello
from vigilo.tls.wire.suite_names import SUITE_NAMES

T = TypeVar("T")
BELOW_13 = sorted(set(SUITE_NAMES) - set(TLS13_SUITES))
CHACHA = 0xCCA8


@dataclass
class PureServer:
    """Accepts `suites` and `groups`, by its own order or the client's."""

    suites: tuple[int, ...]
    groups: tuple[int, ...] = (29, 23)
    own_order: bool = True
    chacha_first: bool = False
    certificate_curve: int | None = None
    longest_hello: int = 10_000
    needs_share: bool = False
    offers: list[Offer] = field(default_factory=list)

    def __call__(self, offer: Offer) -> Answer:
        self.offers.append(offer)
        if len(offer.suites) > self.longest_hello:
            return Unclear("hung up", left=True)
        if self.needs_share and not offer.share:
            return Refused(alert=50)
        suite = self._choose(self.suites, offer.suites)
        group = self._choose(self.groups, offer.groups)
        if suite is None or (self.certificate_curve is not None and self.certificate_curve not in offer.groups):
            return Refused(alert=40)
        if group is None and (offer.version == code.TLS13 or "ECDH" in SUITE_NAMES[suite]):
            return Refused(alert=40)
        return Chosen(offer, ServerHello(offer.version, suite, 0, retry=True), group=group)

    def _choose(self, own: tuple[int, ...], offered: tuple[int, ...]) -> int | None:
        first, second = (own, offered) if self.own_order else (offered, own)
        if self.chacha_first and own == self.suites and is_chacha(offered[0]):
            first = tuple(sorted(own, key=lambda suite: not is_chacha(suite)))
        return next((one for one in first if one in second), None)


def play(strategy: Generator[Offer, Answer, T], server: Callable[[Offer], Answer]) -> T:
    try:
        offer = next(strategy)
        for _ in range(1000):
            offer = strategy.send(server(offer))
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the strategy does not end")


@settings(max_examples=60)
@given(st.lists(st.sampled_from(BELOW_13), unique=True, max_size=40).map(tuple))
def test_all_suites_are_found_whatever_they_are(suites: tuple[int, ...]) -> None:
    server = PureServer(suites)
    found = play(enumerate_version(code.TLS12, alpn=False), server)
    assert set(found.suites) == set(suites)
    assert found.complete
    assert found.support is (Support.ACCEPTED if suites else Support.REJECTED)
    assert max(len(offer.suites) for offer in server.offers) <= BUNDLE_MAX
    rare = [suite for suite in suites if suite not in usual_suites(code.TLS12)]
    assert len(server.offers) <= len(suites) + len(rare) + 1 + 1 + len(rare_bundles(code.TLS12)) + 2


@given(st.permutations(usual_suites(code.TLS12)[:12]), st.sampled_from(BELOW_13))
def test_the_servers_order_is_found_rare_suites_included(usual: list[int], any_suite: int) -> None:
    suites = tuple(dict.fromkeys((*usual[:6], any_suite, *usual[6:])))
    found = play(enumerate_version(code.TLS12, alpn=False), PureServer(suites, groups=code.EC_GROUPS))
    if any_suite in usual_suites(code.TLS12) or any(name in SUITE_NAMES[any_suite] for name in ("RSA", "PSK")):
        assert (found.suites, found.order) == (suites, SuiteOrder.SERVER)


def test_a_client_order_is_told_from_a_servers() -> None:
    found = play(enumerate_version(code.TLS12, alpn=False), PureServer((0xC02F, 0xC030, 0x2F), own_order=False))
    assert found.order is SuiteOrder.CLIENT


def test_chacha_first_is_found_and_is_not_taken_for_the_clients_order() -> None:
    suites = (0xC02F, 0xC030, CHACHA, 0x2F)
    prioritised = play(enumerate_version(code.TLS12, alpn=False), PureServer(suites, chacha_first=True))
    assert (prioritised.suites, prioritised.order, prioritised.chacha_first) == (suites, SuiteOrder.SERVER, True)
    usual = play(enumerate_version(code.TLS12, alpn=False), PureServer(suites))
    assert (usual.order, usual.chacha_first) == (SuiteOrder.SERVER, False)


def test_an_unsupported_version_costs_one_probe() -> None:
    offers: list[Offer] = []

    def refuse(offer: Offer) -> Answer:
        offers.append(offer)
        return Refused(alert=70)

    found = play(enumerate_version(code.TLS10, alpn=False), refuse)
    assert (found.support, found.complete, len(offers)) == (Support.REJECTED, True, 1)


def test_handshake_failure_rejects_only_what_was_offered() -> None:
    """Alert 40 for the usual suites: a server with rare ones only is found all the same."""
    server = PureServer((0x008C,))
    found = play(enumerate_version(code.TLS11, alpn=False), server)
    assert (found.support, found.suites) == (Support.ACCEPTED, (0x008C,))


@pytest.mark.parametrize("failure", [Refused(), Refused(alert=80)])
@pytest.mark.parametrize("suites", [(0xC030, 0x9F, 0xC02F, 0x33, 0x2F, 0x0096), (0x9F, 0x2F, 0x35)])
def test_a_server_that_fails_at_dhe_is_asked_for_all_else(failure: Refused, suites: tuple[int, ...]) -> None:
    """As dovecot does without DH parameters: it prefers a DHE suite, cannot go on, and hangs up."""
    server = PureServer(suites)

    def answer(offer: Offer) -> Answer:
        chosen = server(offer)
        return chosen if isinstance(chosen, Chosen) and not is_dhe(chosen.suite) else failure

    found = play(enumerate_version(code.TLS12, alpn=False), answer)
    assert found.suites == tuple(suite for suite in suites if not is_dhe(suite))
    assert (found.complete, found.order) == (True, SuiteOrder.SERVER)


def test_silence_is_unknown_and_never_rejected() -> None:
    def silent(_: Offer) -> Answer:
        return Unclear("no answer in time", silent=True)

    assert play(enumerate_version(code.TLS12, alpn=False), silent).support is Support.UNKNOWN
    assert play(enumerate_tls13(alpn=False), silent).version.support is Support.UNKNOWN


def test_a_server_that_falls_silent_leaves_the_list_incomplete() -> None:
    server, asked = PureServer((0xC02F, 0xC030)), list[Offer]()

    def tiring(offer: Offer) -> Answer:
        asked.append(offer)
        return server(offer) if len(asked) < 5 else Unclear("no answer in time", silent=True)

    found = play(enumerate_version(code.TLS12, alpn=False), tiring)
    assert (found.support, found.complete) == (Support.ACCEPTED, False)


def test_a_server_that_breaks_on_long_hellos_is_asked_in_short_ones() -> None:
    server = PureServer((0xC02F, 0x2F, 0x05, 0x008C), longest_hello=30)
    found = play(enumerate_version(code.TLS12, alpn=False), server)
    assert set(found.suites) == {0xC02F, 0x2F, 0x05, 0x008C}
    assert found.template is not None
    assert found.template.plain


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(TLS13_SUITES), unique=True, min_size=1).map(tuple),
    st.lists(st.sampled_from(code.TLS13_GROUPS), unique=True, min_size=1).map(tuple),
)
def test_tls13_suites_and_groups_in_the_servers_order(suites: tuple[int, ...], groups: tuple[int, ...]) -> None:
    server = PureServer(suites, groups)
    found = play(enumerate_tls13(alpn=False), server)
    assert found.version.suites == suites
    assert found.groups is not None
    assert found.groups.groups == groups
    assert found.version.complete
    assert found.groups.complete
    assert len(server.offers) <= max(len(suites), len(groups)) + 5


def test_a_server_that_does_not_bear_an_empty_key_share_is_given_one() -> None:
    found = play(enumerate_tls13(alpn=False), PureServer((0x1301,), (23, 29), needs_share=True))
    assert found.version.suites == (0x1301,)
    assert found.groups is not None
    assert 29 in found.groups.groups


def test_a_retry_request_for_ever_is_no_loop() -> None:
    """A server that names what was struck long ago is heard as unclear (see Hearing); then it is over."""
    asked: list[Offer] = []

    def looping(offer: Offer) -> Answer:
        asked.append(offer)
        if 29 not in offer.groups:
            return Unclear("chose the group x25519, which was not offered")
        return Chosen(offer, ServerHello(code.TLS13, offer.suites[0], 0, retry=True), group=29)

    found = play(enumerate_tls13(alpn=False), looping)
    assert found.groups is not None
    assert not found.groups.complete
    assert len(asked) < 30


def _accepted(*suites: int) -> VersionFound:
    template = Offer(code.TLS12, suites, code.EC_GROUPS)
    return VersionFound(code.TLS12, Support.ACCEPTED, suites, complete=True, template=template)


@pytest.mark.parametrize("chacha_first", [False, True])
@pytest.mark.parametrize(
    ("suites", "own_order", "probes"),
    [
        # Three choices, three refusals (of all others, of other suites, of other groups), and what is left to ask.
        ((0x1302, 0x1303, 0x1301), True, 3 + 3 + 1),  # not as we offer them: its own
        ((0x1301, 0x1302, 0x1303), True, 3 + 3 + 2),
        ((0x1302, 0x1303, 0x1301), False, 3 + 3 + 1),
    ],
)
def test_an_order_that_shows_by_itself_is_not_asked_about(
    suites: tuple[int, ...], own_order: bool, probes: int, chacha_first: bool
) -> None:
    server = PureServer(suites, (29, 23, 24), own_order=own_order, chacha_first=chacha_first and own_order)
    found = play(enumerate_tls13(alpn=False), server)
    assert len(server.offers) == probes
    assert found.version.order is (SuiteOrder.SERVER if own_order else SuiteOrder.CLIENT)
    assert found.version.chacha_first is ((chacha_first and own_order) if own_order else None)
    assert found.groups is not None
    assert found.groups.order is found.version.order


def test_groups_below_tls13() -> None:
    found = play(enumerate_groups(_accepted(0xC02F)), PureServer((0xC02F,), (29, 24, 26)))
    assert found is not None
    assert (found.groups, found.complete) == ((29, 24, 26), True)
    assert play(enumerate_groups(_accepted(0x2F)), PureServer((0x2F,))) is None


def test_an_ecdsa_server_refuses_without_its_certificates_curve() -> None:
    server = PureServer((0xC02B,), (23, 29, 24), own_order=False, certificate_curve=23)
    found = play(enumerate_groups(_accepted(0xC02B)), server)
    assert found is not None
    assert (set(found.groups), found.complete) == ({23, 29, 24}, True)


def test_fallback_scsv() -> None:
    assert play(probe_fallback(_accepted(0x2F)), lambda _: Refused(alert=86)) is Support.ACCEPTED
    assert play(probe_fallback(_accepted(0x2F)), lambda _: Refused(alert=40)) is Support.UNKNOWN
    assert play(probe_fallback(_accepted(0x2F)), PureServer((0x2F,))) is Support.REJECTED


def test_every_suite_is_in_exactly_one_bundle() -> None:
    for version in (code.SSL3, code.TLS10, code.TLS12):
        bundles = (usual_suites(version), *rare_bundles(version))
        offered = [suite for bundle in bundles for suite in bundle]
        assert sorted(offered) == BELOW_13
        assert max(map(len, bundles)) <= BUNDLE_MAX


@given(
    st.lists(st.sampled_from(usual_suites(code.TLS12)), unique=True, min_size=1, max_size=20).map(tuple),
    st.lists(st.sampled_from(code.EC_GROUPS), unique=True, min_size=1, max_size=6).map(tuple),
)
def test_groups_asked_for_after_one_suite_are_those_asked_for_after_all(
    suites: tuple[int, ...], groups: tuple[int, ...]
) -> None:
    server, heard = PureServer(suites, groups), list[VersionFound]()

    def hear(offer: Offer) -> Answer:
        answer = server(offer)
        if (enough := enough_for_groups(answer)) is not None:
            heard.append(enough)
        return answer

    found = play(enumerate_version(code.TLS12, alpn=False), hear)
    if heard:
        assert play(enumerate_groups(heard[0]), server) == play(enumerate_groups(found), server)
    assert bool(heard) == any("ECDHE" in SUITE_NAMES[suite] or "ECDH_anon" in SUITE_NAMES[suite] for suite in suites)
