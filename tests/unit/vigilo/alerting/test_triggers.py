"""What triggers answer, and when the answer changes by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.inputs import LEAF, NOON, card, host
from vigilo.alerting import threshold
from vigilo.alerting.judgement import Judgement, any_of
from vigilo.alerting.knowledge import Knowledge, learn
from vigilo.alerting.view import View
from vigilo.events.cards import PathCertificate, TrustReason, Verdict
from vigilo.events.scans import Outcome
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan, Trigger

DAY = timedelta(days=1)
TRUE, FALSE, UNKNOWN = Judgement.TRUE, Judgement.FALSE, Judgement.UNKNOWN


def known(*ends: datetime | None, lifetime: timedelta = 90 * DAY, **changes: Any) -> Knowledge:
    """A path whose certificates end then, leaf first."""
    path = tuple(
        PathCertificate(
            fingerprint_sha256=LEAF,
            subject="CN=shop.example",
            issuer="CN=Example CA",
            not_before=None if end is None else end - lifetime,
            not_after=end,
        )
        for end in ends
    )
    fields: dict[str, Any] = {"outcome": Outcome.OK, "path": path, "chain_valid": Verdict.YES}
    return Knowledge(**{**fields, **changes})


def judge(trigger: Trigger, seen: Knowledge | None, at: datetime) -> Judgement:
    return threshold.judge(trigger, View(host(), seen), at)


def next_change(trigger: Trigger, seen: Knowledge | None, at: datetime) -> datetime | None:
    return threshold.next_change(trigger, View(host(), seen), at)


def test_less_than_thirty_days_is_less_than_thirty_days() -> None:
    trigger = ExpiresInLessThan(days=30)
    assert judge(trigger, known(NOON + 30 * DAY), NOON) is FALSE
    assert judge(trigger, known(NOON + 30 * DAY - timedelta(seconds=1)), NOON) is TRUE
    assert judge(trigger, known(NOON - DAY), NOON) is TRUE


def test_of_days_and_share_the_smaller_threshold_counts() -> None:
    trigger = ExpiresInLessThan(days=30, share=1 / 3)
    short, long = 6 * DAY, 398 * DAY
    assert judge(trigger, known(NOON + 3 * DAY, lifetime=short), NOON) is FALSE
    assert judge(trigger, known(NOON + 1.9 * DAY, lifetime=short), NOON) is TRUE
    assert judge(trigger, known(NOON + 31 * DAY, lifetime=long), NOON) is FALSE
    assert judge(trigger, known(NOON + 29 * DAY, lifetime=long), NOON) is TRUE


def test_the_leaf_alone_counts_unless_the_path_is_asked_for() -> None:
    chain = known(NOON + 60 * DAY, NOON + 5 * DAY)
    assert judge(ExpiresInLessThan(days=30), chain, NOON) is FALSE
    assert judge(ExpiresInLessThan(days=30, include="path"), chain, NOON) is TRUE


def test_time_changes_nothing_once_one_certificate_has_too_little_left() -> None:
    trigger, soon = ExpiresInLessThan(days=30, include="path"), timedelta(microseconds=1)
    assert next_change(trigger, known(NOON + 60 * DAY, NOON + 5 * DAY), NOON) is None
    assert next_change(trigger, known(NOON + 60 * DAY, NOON + 40 * DAY), NOON) == NOON + 10 * DAY + soon
    assert next_change(trigger, known(NOON + 60 * DAY, NOON + 30 * DAY), NOON) == NOON + soon
    assert next_change(trigger, known(None), NOON) is None


def test_an_end_that_cannot_be_read_is_unknown_not_false() -> None:
    trigger = ExpiresInLessThan(days=30, include="path")
    assert judge(trigger, known(None), NOON) is UNKNOWN
    assert judge(trigger, known(NOON + 60 * DAY, None), NOON) is UNKNOWN
    assert judge(trigger, known(NOON + 6 * DAY, None), NOON) is TRUE
    assert judge(trigger, None, NOON) is UNKNOWN
    assert judge(trigger, known(), NOON) is UNKNOWN


def test_expiry_is_judged_from_the_last_certificate_seen_while_the_host_is_unreachable() -> None:
    seen = learn(None, card(requested_at=NOON, not_after=NOON + 31 * DAY))
    gone = learn(seen, card(requested_at=NOON + DAY))
    assert gone.outcome is Outcome.UNREACHABLE
    assert judge(ExpiresInLessThan(days=30), gone, NOON + 2 * DAY) is TRUE
    assert judge(ChainValidationFails(), gone, NOON + 2 * DAY) is UNKNOWN


def test_a_pool_that_lost_its_network_teaches_nothing_but_that() -> None:
    seen = learn(None, card(requested_at=NOON, not_after=NOON + 31 * DAY))
    suspect = learn(seen, card(requested_at=NOON + DAY, pool_suspect=True, chain_valid=Verdict.NO))
    assert suspect.path == seen.path
    assert judge(ChainValidationFails(), suspect, NOON + DAY) is UNKNOWN
    assert judge(ExpiresInLessThan(days=30), suspect, NOON + 2 * DAY) is TRUE


def test_chain_validation_is_three_valued() -> None:
    trigger, end = ChainValidationFails(), NOON + 60 * DAY
    assert judge(trigger, known(end), NOON) is FALSE
    assert judge(trigger, known(end, chain_valid=Verdict.NO, chain_reason=TrustReason.EXPIRED), NOON) is TRUE
    assert judge(trigger, known(end, chain_valid=Verdict.UNKNOWN), NOON) is UNKNOWN
    assert judge(trigger, known(end, chain_valid=Verdict.NO, chain_reason=TrustReason.TOO_COMPLEX), NOON) is UNKNOWN
    assert judge(trigger, None, NOON) is UNKNOWN


def test_chain_validation_never_changes_by_time_alone() -> None:
    assert next_change(ChainValidationFails(), known(NOON + DAY), NOON) is None


ends = st.lists(st.none() | st.integers(-100, 800).map(lambda hours: NOON + timedelta(hours=hours)), max_size=4)


@given(ends, st.floats(0.1, 40), st.none() | st.floats(0.01, 0.99), st.sampled_from(["leaf", "path"]))
def test_the_answer_changes_at_the_instant_foretold_and_not_before(
    when: list[datetime | None], days: float, share: float | None, include: Any
) -> None:
    trigger = ExpiresInLessThan(days=days, share=share, include=include)
    chain = known(*when, lifetime=20 * DAY)
    now, instants = NOON, []
    while (instant := next_change(trigger, chain, now)) is not None:
        assert instant > now
        instants.append(instant)
        assert len(instants) <= len(when)
        if len(instants) == 1 and judge(trigger, chain, NOON) is not TRUE:
            assert judge(trigger, chain, instant - timedelta(microseconds=1)) is not TRUE
            assert judge(trigger, chain, instant) is TRUE
        now = instant
    assert judge(trigger, chain, now + timedelta(days=3650)) is judge(trigger, chain, now)


@given(st.lists(st.sampled_from(Judgement)))
def test_any_of_several_answers(answers: list[Judgement]) -> None:
    expected = TRUE if TRUE in answers else UNKNOWN if UNKNOWN in answers or not answers else FALSE
    assert any_of(answers) is expected
