"""What the stateful test draws: rules, edits, and what scans see."""

from __future__ import annotations

from hypothesis import strategies as st

from vigilo.events.cards import Grade, Verdict
from vigilo.events.hosts import Interval
from vigilo.events.rules import AllHosts, TaggedHosts
from vigilo.events.scans import Outcome
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    GradeBelow,
    ScanOverdue,
    Unreachable,
)

triggers = st.sampled_from(
    [
        ExpiresInLessThan(days=30),
        ExpiresInLessThan(days=5),
        ChainValidationFails(),
        GradeBelow(grade=Grade.B),
        Unreachable(),
        ScanOverdue(intervals=2),
        ScanOverdue(intervals=30),
        CertificateChanged(which="any"),
        CertificateChanged(),
    ]
)
counts = st.sampled_from([1, 1, 2, 3])
reminders = st.sampled_from([None, 720, 2880])
rules = st.fixed_dictionaries(
    {
        "trigger": triggers,
        "scope": st.sampled_from([AllHosts(), AllHosts(), TaggedHosts(tag="edge")]),
        "enabled": st.sampled_from([True, True, True, False]),
        "open_after": counts,
        "close_after": counts,
        "remind_every_minutes": reminders,
    }
)
edits = st.one_of(
    st.fixed_dictionaries({"name": st.sampled_from(["a", "b"])}),
    st.fixed_dictionaries({"trigger": triggers}),
    st.fixed_dictionaries({"open_after": counts, "close_after": counts}),
    st.fixed_dictionaries({"remind_every_minutes": reminders}),
)
sights = st.one_of(
    st.fixed_dictionaries(
        {
            "days": st.sampled_from([2, 12, 31, 60]),
            "chain_valid": st.sampled_from([Verdict.NO, Verdict.YES, Verdict.NO, Verdict.UNKNOWN]),
            "grade": st.sampled_from([Grade.C, Grade.A, Grade.C, None]),
            "rulebook": st.sampled_from(["one", "one", "two"]),
        }
    ),
    st.fixed_dictionaries(
        {"outcome": st.sampled_from([Outcome.UNREACHABLE, Outcome.NOT_PERFORMED, Outcome.THROTTLED])}
    ),
)
hosts = st.one_of(
    st.fixed_dictionaries({"tags": st.sampled_from([(), ("edge",)])}),
    st.fixed_dictionaries({"interval": st.sampled_from([Interval.H1, Interval.H6])}),
)
