"""Courses of report cards, as hosts have them: stretches of the same, blips, pauses, cards that count for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from vigilo.alerting.runs import CardRun, extended
from vigilo.events import ids
from vigilo.events.cards import Grade, ReportCard, TrustReason, Verdict
from vigilo.events.facts import StapleStatus
from vigilo.events.rules import AlertRule
from vigilo.events.scans import Outcome
from vigilo.events.triggers import (
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

DAY = timedelta(days=1)
TRIGGERS: tuple[Trigger, ...] = (
    ExpiresInLessThan(days=30),
    ExpiresInLessThan(days=7, share=1 / 6, include="path"),
    ChainValidationFails(),
    GradeBelow(grade=Grade.B),
    NameMismatch(),
    NotTls(),
    OcspStaplingStops(),
    ProtocolBelow(version="TLSv1.2"),
    ScanOverdue(intervals=3),
    ScanOverdue(intervals=30),
    Unreachable(),
    WeakKey(),
)

# What a card says, by the days its leaf still has at noon of the first day (none: no certificate was seen).
_SAID: tuple[tuple[float | None, dict[str, Any]], ...] = (
    (60, {"grade": Grade.A, "staple_status": StapleStatus.GOOD, "staple_wanted": True, "name_matches": Verdict.YES}),
    (60, {"grade": Grade.A, "staple_status": StapleStatus.NOT_STAPLED, "staple_wanted": True}),
    (31, {"grade": Grade.C, "staple_wanted": False, "versions_accepted": ("TLSv1.0", "TLSv1.2")}),
    (9, {"chain_valid": Verdict.NO, "chain_reason": TrustReason.INCOMPLETE, "grade": Grade.F}),
    (2, {"chain_valid": Verdict.UNKNOWN, "name_matches": Verdict.NO, "versions_rejected": ("TLSv1.0",)}),
    (60, {"pool_suspect": True}),
    (None, {"outcome": Outcome.REFUSED}),
    (None, {"outcome": Outcome.NOT_TLS}),
    (None, {"outcome": Outcome.THROTTLED}),
    (None, {"outcome": Outcome.NOT_PERFORMED}),
    (None, {"outcome": Outcome.OK, "pool_suspect": True}),
)
_GAPS = (timedelta(seconds=30), timedelta(hours=1), timedelta(hours=1), timedelta(hours=5), timedelta(days=9))
_Stretch = tuple[int, int, timedelta, int]

_stretches = st.lists(
    st.tuples(
        st.integers(0, len(_SAID) - 1),
        st.one_of(st.integers(1, 4), st.integers(5, 40)),
        st.sampled_from(_GAPS),
        st.integers(0, 59),
    ),
    min_size=1,
    max_size=8,
)
counts = st.one_of(st.integers(1, 3), st.integers(1, 10))
rules = st.builds(
    lambda trigger, opens, closes: inputs.rule(trigger=trigger, open_after=opens, close_after=closes),
    st.sampled_from(TRIGGERS),
    counts,
    counts,
)


def _cards(stretches: Sequence[_Stretch]) -> list[ReportCard]:
    """Each stretch: what it says, how many cards, how far apart, how unevenly (minutes, in turns)."""
    made: list[ReportCard] = []
    at = NOON
    for said, count, gap, uneven in stretches:
        days, fields = _SAID[said]
        for number in range(count):
            at += gap + timedelta(minutes=uneven * (number % 3))
            made.append(
                inputs.card(
                    requested_at=at,
                    not_after=None if days is None else NOON + days * DAY,
                    scan_id=ids.caused_scan_id(inputs.HOST, str(len(made))),
                    **fields,
                )
            )
    return made


courses = _stretches.map(_cards)


def runs_of(cards: Sequence[ReportCard]) -> list[CardRun]:
    """The runs these cards leave behind."""
    runs: list[CardRun] = []
    for card in cards:
        run = extended(runs[-1] if runs else None, card)
        if run is None:
            continue
        if runs and run.first_scan_id == runs[-1].first_scan_id:
            runs[-1] = run
        else:
            runs.append(run)
    return runs


def rule_of(trigger: Trigger, *, opens: int = 1, closes: int = 1) -> AlertRule:
    """A rule over all hosts."""
    return inputs.rule(trigger=trigger, open_after=opens, close_after=closes)
