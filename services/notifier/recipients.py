"""Whom to tell of a transition. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.rules import Route

# What begins something. A pending, clearing or suppressed alert is nobody's news.
NEWS = frozenset({TransitionKind.OPENED, TransitionKind.NOTICE})
# These follow an open: they go to whoever was told of it, whatever the rule says today.
FOLLOWING = frozenset({TransitionKind.CLOSED, TransitionKind.ACKNOWLEDGED, TransitionKind.REMINDER})


@dataclass(frozen=True, slots=True)
class Routed:
    """A channel in use, and what it takes beside the alerts of rules that name it."""

    channel_id: UUID
    routes: tuple[Route, ...]


def recipients(
    transition: AlertTransition, told_of_open: Iterable[UUID], routed: Iterable[Routed] = ()
) -> tuple[UUID, ...]:
    """The channels to tell, each once: those the rule names, in its order, then those with a route that fits.

    `told_of_open` are the channels for which the ledger holds this alert's open: a close goes to all of them and to no
    other (a channel added since was never told that something is wrong).
    """
    if transition.kind in FOLLOWING:
        return tuple(dict.fromkeys(told_of_open))
    if transition.kind not in NEWS:
        return ()
    by_route = (one.channel_id for one in routed if any(fits(route, transition) for route in one.routes))
    return tuple(dict.fromkeys((*transition.rule.channels, *by_route)))


def fits(route: Route, transition: AlertTransition) -> bool:
    """True if severity, one of the host's tags, and the rule are among the route's; an empty list takes all."""
    severity = not route.severities or transition.rule.severity in route.severities
    tags = not route.tags or not set(route.tags).isdisjoint(transition.host.tags)
    return severity and tags and (not route.rules or transition.rule.rule_id in route.rules)
