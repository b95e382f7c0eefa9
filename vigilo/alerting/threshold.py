"""The question of any trigger: one table, one look-up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from vigilo.alerting.judgement import Judgement
from vigilo.alerting.triggers import (
    certificate_changed,
    chain_validation_fails,
    expires_in_less_than,
    grade_below,
    name_mismatch,
    not_tls,
    ocsp_stapling_stops,
    protocol_below,
    scan_overdue,
    unreachable,
    weak_key,
)
from vigilo.alerting.view import Question, View
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    NameMismatch,
    NotTls,
    OcspStaplingStops,
    ProtocolBelow,
    ScanOverdue,
    Trigger,
    Unreachable,
    WeakKey,
)

QUESTIONS: Mapping[type[BaseModel], Question[Any]] = MappingProxyType(
    {
        ExpiresInLessThan: expires_in_less_than.QUESTION,
        GradeBelow: grade_below.QUESTION,
        ChainValidationFails: chain_validation_fails.QUESTION,
        OcspStaplingStops: ocsp_stapling_stops.QUESTION,
        NameMismatch: name_mismatch.QUESTION,
        Unreachable: unreachable.QUESTION,
        NotTls: not_tls.QUESTION,
        ScanOverdue: scan_overdue.QUESTION,
        ProtocolBelow: protocol_below.QUESTION,
        WeakKey: weak_key.QUESTION,
        CertificateChanged: certificate_changed.QUESTION,
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
