"""Triggers for tests that ask something of all of them."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st
from pydantic import BaseModel

from vigilo.events.cards import Grade
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


def models() -> tuple[type[BaseModel], ...]:
    """The members of the union."""
    members: tuple[type[BaseModel], ...] = get_args(get_args(Trigger)[0])
    return members


def every_trigger() -> tuple[Trigger, ...]:
    """One of each kind."""
    return (
        ExpiresInLessThan(days=30),
        GradeBelow(grade=Grade.B),
        ChainValidationFails(),
        OcspStaplingStops(),
        NameMismatch(),
        Unreachable(),
        NotTls(),
        ScanOverdue(),
        ProtocolBelow(),
        WeakKey(),
        CertificateChanged(),
    )


triggers: st.SearchStrategy[Trigger] = st.one_of(
    st.builds(
        ExpiresInLessThan,
        days=st.floats(0.1, 400),
        share=st.none() | st.floats(0.01, 0.99),
        include=st.sampled_from(["leaf", "path"]),
    ),
    st.builds(GradeBelow, grade=st.sampled_from(Grade)),
    st.builds(ScanOverdue, intervals=st.floats(2, 100)),
    st.builds(
        ProtocolBelow,
        version=st.sampled_from(["TLSv1.1", "TLSv1.2", "TLSv1.3"]),
        judged=st.sampled_from(["accepted", "best"]),
    ),
    st.builds(WeakKey, rsa_bits=st.integers(1024, 16_384), curve_bits=st.integers(160, 521)),
    st.builds(CertificateChanged, which=st.sampled_from(["any", "unexpected"])),
    st.sampled_from([ChainValidationFails(), OcspStaplingStops(), NameMismatch(), Unreachable(), NotTls()]),
)
