"""The question of any trigger: what does it answer now, and when does that change by time alone?"""

from __future__ import annotations

from datetime import datetime

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.knowledge import Knowledge
from vigilo.alerting.triggers import chain_validation_fails, expires_in_less_than
from vigilo.events.rules import ChainValidationFails, ExpiresInLessThan, Trigger


def judge(trigger: Trigger, known: Knowledge | None, at: datetime) -> Judgement:
    """The trigger's answer at an instant."""
    match trigger:
        case ExpiresInLessThan():
            return expires_in_less_than.judge(trigger, known, at)
        case ChainValidationFails():
            return chain_validation_fails.judge(trigger, known, at)


def next_change(trigger: Trigger, known: Knowledge | None, at: datetime) -> datetime | None:
    """The next instant at which the answer changes if nothing new is learnt; None for never."""
    match trigger:
        case ExpiresInLessThan():
            return expires_in_less_than.next_change(trigger, known, at)
        case ChainValidationFails():
            return chain_validation_fails.next_change(trigger, known, at)
