"""The one sentence of each transition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.fakes.inputs import LEAF, NOON, OTHER_LEAF, card, host, rule
from vigilo.alerting.knowledge import Course, Knowledge, learn
from vigilo.alerting.messages import facts, help_anchor, summary
from vigilo.alerting.view import View
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import Grade, PathCertificate, TrustReason, Verdict
from vigilo.events.facts import StapleStatus
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan

DAY = timedelta(days=1)


def known(left: timedelta, **changes: Any) -> Knowledge:
    return learn(None, card(requested_at=NOON, not_after=NOON + left, **changes))


def said(left: timedelta, kind: TransitionKind = TransitionKind.OPENED) -> str:
    return summary(kind, rule(), View(host(), known(left)), at=NOON)


def test_time_left_is_said_in_the_unit_people_use() -> None:
    assert said(12 * DAY + timedelta(hours=9)).endswith("expires in 12 days (2026-12-05 21:00 UTC)")
    assert said(timedelta(hours=47)).endswith("expires in 47 hours (2026-11-25 11:00 UTC)")
    assert said(timedelta(minutes=90)).endswith("expires in 90 minutes (2026-11-23 13:30 UTC)")
    assert said(-3 * DAY).endswith("certificate expired 3 days ago (2026-11-20 12:00 UTC)")


def test_kinds_other_than_opened_are_named() -> None:
    tail = "certificate expires in 2 days (2026-11-25 12:00 UTC)"
    assert said(2 * DAY, TransitionKind.PENDING) == f"shop.example:443: not yet confirmed: {tail}"
    assert said(2 * DAY, TransitionKind.SUPPRESSED) == f"shop.example:443: snoozed: {tail}"
    assert said(2 * DAY, TransitionKind.ACKNOWLEDGED) == f"shop.example:443: acknowledged: {tail}"


def test_a_close_says_why() -> None:
    def closed(reason: CloseReason) -> str:
        return summary(TransitionKind.CLOSED, rule(), View(host(), known(80 * DAY)), at=NOON, reason=reason)

    assert (
        closed(CloseReason.CLEARED)
        == "shop.example:443: cleared: certificate expires in 80 days (2027-02-11 12:00 UTC)"
    )
    assert closed(CloseReason.HOST_PAUSED) == "shop.example:443: closed, the host is paused: expires soon"
    assert all(closed(reason) for reason in CloseReason)


def test_a_failed_chain_says_what_the_grader_said() -> None:
    broken = known(80 * DAY, chain_valid=Verdict.NO, chain_reason=TrustReason.SELF_SIGNED, chain_detail="depth 0")
    chains = rule(trigger=ChainValidationFails())
    told = summary(TransitionKind.OPENED, chains, View(host(), broken), at=NOON)
    assert told == "shop.example:443: chain validation fails (self-signed: depth 0)"
    assert (
        summary(TransitionKind.OPENED, chains, View(host(), None), at=NOON)
        == "shop.example:443: chain validation fails"
    )


def test_an_intermediate_that_expires_first_is_named() -> None:
    leaf, intermediate = (
        PathCertificate(fingerprint_sha256=digest, subject=f"CN={name}", issuer="CN=Root", not_after=NOON + left)
        for digest, name, left in ((LEAF, "shop.example", 80 * DAY), (OTHER_LEAF, "Example CA", 5 * DAY))
    )
    path = known(80 * DAY).model_copy(update={"path": (leaf, intermediate)})
    watching = rule(trigger=ExpiresInLessThan(days=30, include="path"))
    told = summary(TransitionKind.OPENED, watching, View(host(), path), at=NOON)
    assert told.startswith("shop.example:443: intermediate certificate (CN=Example CA) expires in 5 days")
    assert facts(watching, View(host(), path), at=NOON).fingerprint_sha256 == OTHER_LEAF
    assert facts(rule(), View(host(), path), at=NOON).fingerprint_sha256 == LEAF


def test_hostile_text_of_a_certificate_stays_one_harmless_line() -> None:
    evil = known(80 * DAY, chain_valid=Verdict.NO, chain_detail="bad\n\x1b[31m<!channel>\u202e" + "x" * 600)
    told = summary(TransitionKind.OPENED, rule(trigger=ChainValidationFails()), View(host(), evil), at=NOON)
    assert told.isprintable()
    assert len(told) <= 512


def test_facts_quote_what_the_card_told() -> None:
    seen = known(
        12 * DAY,
        names=("shop.example", "www.shop.example"),
        names_count=2,
        staple_status=StapleStatus.EXPIRED,
        versions_accepted=("TLSv1.2", "TLSv1.3"),
        grade=Grade.B,
    )
    told = facts(rule(), View(host(), seen, Course(performed_at=NOON)), at=NOON)
    assert (told.names, told.names_count) == (("shop.example", "www.shop.example"), 2)
    assert (told.staple_status, told.tls_versions) == (StapleStatus.EXPIRED, ("TLSv1.2", "TLSv1.3"))
    assert (told.grade, told.performed_at, told.weak) == (Grade.B, NOON, None)
    assert facts(rule(), View(host(), None, Course(performed_at=NOON)), at=NOON).performed_at == NOON


def test_an_alert_names_the_entry_that_explains_it() -> None:
    chains = rule(trigger=ChainValidationFails())
    broken = known(80 * DAY, chain_valid=Verdict.NO, chain_reason=TrustReason.INCOMPLETE)
    assert help_anchor(chains, View(host(), broken)) == "incomplete-chain"
    assert help_anchor(chains, View(host(), None)) == "trust-not-known"
    assert help_anchor(rule(), View(host(), broken)) == "expired-though-renewed"


def test_facts_count_days_from_the_decision() -> None:
    told = facts(rule(), View(host(), known(12 * DAY)), at=NOON + 2 * DAY)
    assert (told.days_left, told.fingerprint_sha256, told.outcome) == (10.0, LEAF, "ok")
    assert facts(rule(), View(host(), None), at=NOON).not_after is None


def test_days_left_are_rounded_down_as_the_sentence_does() -> None:
    def days(left: timedelta) -> float | None:
        return facts(rule(), View(host(), known(left)), at=NOON).days_left

    assert days(5 * DAY - timedelta(seconds=1)) == 4.9999
    assert days(-timedelta(seconds=1)) == -0.0001
    assert said(5 * DAY - timedelta(seconds=1)).endswith("expires in 4 days (2026-11-28 11:59 UTC)")
