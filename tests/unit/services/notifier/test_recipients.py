"""Whom to tell."""

from uuid import UUID

import pytest

from services.notifier.recipients import Routed, recipients
from tests.fakes.alerts import RULE, transition
from vigilo.events.alerts import TransitionKind
from vigilo.events.rules import Route, Severity

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_an_open_goes_to_the_channels_of_the_rule() -> None:
    assert recipients(transition(TransitionKind.OPENED, channels=(B, A, B)), []) == (B, A)


@pytest.mark.parametrize("kind", [TransitionKind.CLOSED, TransitionKind.ACKNOWLEDGED, TransitionKind.REMINDER])
def test_what_follows_an_open_goes_to_whoever_heard_of_it_and_to_no_other(kind: TransitionKind) -> None:
    everything = [Routed(C, (Route(),))]
    assert recipients(transition(kind, channels=(C,)), [A, B], everything) == (A, B)
    assert recipients(transition(kind, channels=(A,)), [], everything) == ()


@pytest.mark.parametrize("kind", [TransitionKind.PENDING, TransitionKind.SUPPRESSED, TransitionKind.CLEARING])
def test_nobody_hears_of_what_is_not_news(kind: TransitionKind) -> None:
    assert recipients(transition(kind, channels=(A,)), [A], [Routed(B, (Route(),))]) == ()


@pytest.mark.parametrize(
    ("routes", "fits"),
    [
        ((), False),
        ((Route(),), True),
        ((Route(severities=(Severity.WARNING, Severity.CRITICAL)),), True),
        ((Route(severities=(Severity.CRITICAL,)),), False),
        ((Route(tags=("prod", "eu")),), True),
        ((Route(tags=("staging",)),), False),
        ((Route(rules=(RULE,)),), True),
        ((Route(rules=(A,)),), False),
        ((Route(tags=("prod",), severities=(Severity.INFO,)),), False),
        ((Route(rules=(A,)), Route(tags=("prod",))), True),
    ],
)
@pytest.mark.parametrize("kind", [TransitionKind.OPENED, TransitionKind.NOTICE])
def test_a_route_fits_if_all_its_parts_do(kind: TransitionKind, routes: tuple[Route, ...], fits: bool) -> None:
    told = recipients(transition(kind, channels=(A,)), [], [Routed(A, routes), Routed(B, routes)])
    assert told == ((A, B) if fits else (A,))
