"""Posture checks of servers that stop answering, or of which not all was known: never "the same"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.model_server import ModelServer, check_model, enumerate_model
from tests.fakes.model_servers import MODELS
from vigilo.tls.posture.answers import Answer, Chosen, Refused, Unclear
from vigilo.tls.posture.bundles import TLS13_SUITES
from vigilo.tls.posture.check import Sameness
from vigilo.tls.posture.recheck import CONNECTIONS_MAX
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import SUITE_NAMES

MODERN = MODELS["intermediate"]
POSTURES = {"intermediate": enumerate_model(MODERN)}


def _after(count: int, server: ModelServer, then: Answer) -> Any:
    seen: list[Offer] = []

    def answer(offer: Offer) -> Answer:
        seen.append(offer)
        return server(offer) if len(seen) <= count else then

    return answer


@pytest.mark.parametrize("then", [Unclear("no answer in time", silent=True), Unclear("reset", left=True), Refused(40)])
@pytest.mark.parametrize("count", [1, 4, 9, 13])
def test_a_ban_in_the_middle_is_throttled_and_neither_same_nor_different(count: int, then: Answer) -> None:
    verdict, _ = check_model(POSTURES["intermediate"], _after(count, MODERN, then))
    assert verdict.sameness is Sameness.THROTTLED


def test_silence_from_the_first_is_throttled_for_a_handshake_came_before() -> None:
    verdict, connections = check_model(POSTURES["intermediate"], _after(0, MODERN, Unclear("time was up", silent=True)))
    assert (verdict.sameness, connections) == (Sameness.THROTTLED, 1)


@pytest.mark.parametrize("number", range(1, 13))
def test_one_answer_that_stays_out_is_unclear_and_not_the_same(number: int) -> None:
    asked: list[Offer] = []

    def forgetful(offer: Offer) -> Answer:
        asked.append(offer)
        return Unclear("no answer in time", silent=True) if len(asked) == number + 1 else MODERN(offer)

    verdict, _ = check_model(POSTURES["intermediate"], forgetful)
    assert verdict.sameness is Sameness.UNCLEAR
    assert "no answer in time" in verdict.what[0]


def test_servers_that_refuse_by_hanging_up_are_checked_in_no_more_connections() -> None:
    def curt(offer: Offer) -> Answer:
        answer = MODERN(offer)
        fallback = code.FALLBACK_SCSV in offer.suites
        return answer if isinstance(answer, Chosen) or fallback else Unclear("hung up", left=True)

    verdict, connections = check_model(POSTURES["intermediate"], curt)
    assert (verdict.sameness, connections) == (Sameness.SAME, CONNECTIONS_MAX)


def test_a_server_that_does_not_bear_long_hellos_is_enumerated_instead() -> None:
    """Its refusals of long lists would say nothing."""

    def brief(offer: Offer) -> Answer:
        return Unclear("hung up", left=True) if len(offer.suites) > 128 else MODERN(offer)

    verdict, connections = check_model(POSTURES["intermediate"], brief)
    assert (verdict.sameness, connections) == (Sameness.DIFFERENT, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"throttled": True}, "stopped answering"),
        ({"versions": ()}, "not all versions"),
        ({"groups": None}, "groups are not known"),
        ({"notes": ("TLSv1.2: answers only short hellos with few extensions",)}, "hellos made for it"),
    ],
)
def test_what_was_not_known_completely_is_not_checked(change: dict[str, Any], reason: str) -> None:
    verdict, connections = check_model(POSTURES["intermediate"].model_copy(update=change), MODERN)
    assert (verdict.sameness, connections) == (Sameness.DIFFERENT, 0)
    assert reason in verdict.what[0]


def test_an_incomplete_version_is_not_checked() -> None:
    posture = POSTURES["intermediate"]
    versions = tuple(one.model_copy(update={"complete": False}) for one in posture.versions)
    verdict, connections = check_model(posture.model_copy(update={"versions": versions}), MODERN)
    assert (verdict.sameness, connections) == (Sameness.DIFFERENT, 0)


def test_more_kinds_of_suites_than_connections_is_not_checked() -> None:
    """Every version, with everything that was ever broken: such a server is enumerated each time."""
    everything = tuple(sorted(set(SUITE_NAMES) - set(TLS13_SUITES)))
    server = ModelServer({**dict.fromkeys((code.SSL3, code.TLS10, code.TLS11, code.TLS12), everything),
                          code.TLS13: TLS13_SUITES}, curves=code.EC_GROUPS, own_order=True)  # fmt: skip
    verdict, connections = check_model(enumerate_model(server), server)
    assert (verdict.sameness, connections) == (Sameness.DIFFERENT, 0)
