"""How the kinds of channels differ: what they may skip, what they may join, how fast and how often. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from services.notifier.schedule import PATIENT_DELAYS, WEBHOOK_DELAYS
from vigilo.events.rules import ChannelKind

_HTTP = timedelta(seconds=22)  # 5 s for the name, 15 s for the request
_MAIL = timedelta(seconds=45)  # VIGILO_SMTP_TIMEOUT is 40 s at most, and a goodbye takes two


@dataclass(frozen=True, slots=True)
class Traits:
    """`supersedes`: a transition overtaken before it was sent is skipped. `digests`: many of one cause go out as one
    message. `pages`: it wakes somebody, so what is only a new opinion on old facts (cause rulebook) is not sent.
    `delays`: the waits between attempts. `per_minute`, `burst`: how many messages it takes. `longest`: no attempt takes
    longer, and a claim lasts as long.
    """

    supersedes: bool
    digests: bool
    pages: bool
    delays: tuple[timedelta, ...]
    per_minute: int
    burst: int
    longest: timedelta = _HTTP


TRAITS: Mapping[ChannelKind, Traits] = MappingProxyType(
    {
        ChannelKind.WEBHOOK: Traits(False, False, False, WEBHOOK_DELAYS, per_minute=1200, burst=200),
        # About one message a second and webhook URL, short bursts allowed (Slack, "Rate limits").
        ChannelKind.SLACK: Traits(True, True, False, PATIENT_DELAYS, per_minute=60, burst=5),
        # About 120 events a minute and routing key (PagerDuty, "Events API v2").
        ChannelKind.PAGERDUTY: Traits(True, False, True, PATIENT_DELAYS, per_minute=120, burst=20),
        ChannelKind.EMAIL: Traits(False, True, False, PATIENT_DELAYS, per_minute=30, burst=10, longest=_MAIL),
        ChannelKind.ALERTMANAGER: Traits(True, False, False, PATIENT_DELAYS, per_minute=600, burst=100),
    }
)
