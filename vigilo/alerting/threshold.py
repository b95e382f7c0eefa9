"""The question of any trigger: one table, one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers import chain_validation_fails, expires_in_less_than
from vigilo.alerting.view import Question, View
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan, Trigger

QUESTIONS: Mapping[type[BaseModel], Question[Any]] = MappingProxyType(
    {
        ExpiresInLessThan: expires_in_less_than.QUESTION,
        ChainValidationFails: chain_validation_fails.QUESTION,
    }
)


def question(trigger: Trigger) -> Question[Any]:
    """The question this trigger asks."""
    return QUESTIONS[type(trigger)]


def judge(trigger: Trigger, view: View, at: datetime) -> Judgement:
    """The trigger's answer at an instant."""
    return question(trigger).judge(trigger, view, at)


def next_change(trigger: Trigger, view: View, at: datetime) -> datetime | None:
    """The next instant at which the answer changes if nothing new is learnt; None for never."""
    return question(trigger).next_change(trigger, view, at)
