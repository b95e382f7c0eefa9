"""What is allowed in a rule and yet seldom meant: told beside the answer, never refused. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from vigilo.events.rules import AlertRule, TaggedHosts
from vigilo.events.triggers import CertificateChanged, ExpiresInLessThan, Unreachable

# Source: CA/Browser Forum ballot SC-081: 47 days at most from 2029-03-15 on.
_SHORTEST_LIFE_DAYS: Final = 45


def warnings(rule: AlertRule, *, hosts_with_tag: int | None, disabled_channels: Sequence[str]) -> list[str]:
    """One sentence each. `hosts_with_tag`: of the rule's scope, None for other scopes."""
    return [*_of_trigger(rule), *_of_scope(rule, hosts_with_tag), *_of_channels(disabled_channels)]


def _of_trigger(rule: AlertRule) -> Iterator[str]:
    match rule.trigger:
        case ExpiresInLessThan(days=days, share=None) if days > _SHORTEST_LIFE_DAYS:
            yield (
                f"A certificate that lives no longer than {days:g} days is always about to expire by this rule; "
                "`share` measures short-lived ones by their own lifetime."
            )
        case Unreachable() if rule.open_after == 1:
            yield "A single failed scan opens an alert; `open_after` 3 waits until it has failed three times."
        case CertificateChanged() if rule.remind_every_minutes is not None:
            yield "A changed certificate is told once and never stays open: there is nothing to remind of."
        case CertificateChanged() if rule.open_after > 1:
            yield "A changed certificate is told at once: `open_after` does not count here."


def _of_scope(rule: AlertRule, hosts_with_tag: int | None) -> Iterator[str]:
    if isinstance(rule.scope, TaggedHosts) and hosts_with_tag == 0:
        yield f"No host carries the tag {rule.scope.tag} now."


def _of_channels(disabled: Sequence[str]) -> Iterator[str]:
    for name in disabled:
        yield f"The channel {name} is disabled: it gets nothing."
