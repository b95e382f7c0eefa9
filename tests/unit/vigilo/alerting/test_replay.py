"""A preview says what the live alerter would have done with every card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.alerter.world import World
from tests.unit.vigilo.alerting.courses import DAY, courses, rule_of, rules, runs_of
from vigilo.alerting.replay import History, Watched, Window, missing, replay
from vigilo.alerting.runs import CardRun
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.cards import CertificateChange, PathCertificate, ReportCard, Unexpected
from vigilo.events.rules import AlertRule
from vigilo.events.scans import Outcome
from vigilo.events.triggers import CertificateChanged, ExpiresInLessThan, ScanOverdue, Unreachable

HOUR = timedelta(hours=1)
Course = list[tuple[str, datetime]]


def live(rule: AlertRule, cards: Sequence[ReportCard], since: datetime, until: datetime) -> Course:
    """When the live alerter opens and closes if the rule is saved at `since`; every timer comes when it is due."""
    world = World()
    world.host(at=NOON)
    past = [card for card in cards if card.requested_at <= since]
    for card in past:
        world.card(at=card.requested_at, **_said(card))
    world.configure(rule)
    told = []
    world.at = since
    told += world.wake(reason="config")
    for card in cards[len(past) :]:
        told += _woken(world, card.requested_at)
        told += world.card(at=card.requested_at, **_said(card))
    told += _woken(world, until)
    opened = {one.at for one in told if one.kind is TransitionKind.OPENED}
    return [
        (one.kind.value, one.at)
        for one in told
        if one.kind is TransitionKind.OPENED or (one.kind is TransitionKind.CLOSED and one.opened_at in opened)
    ]


def _woken(world: World, until: datetime) -> list[AlertTransition]:
    told = []
    while world.decision.next_at is not None and world.decision.next_at < until:
        told += world.wake()
    return told


def _said(card: ReportCard) -> dict[str, Any]:
    return dict(card) | {"not_after": None}


def previewed(rule: AlertRule, cards: Sequence[ReportCard], since: datetime, until: datetime) -> Course:
    """The same by replay, from runs and what `missing` asks for."""
    runs = runs_of(cards)
    host, window = inputs.host(), Window(since, until)
    instants = [card.requested_at for card in cards]
    blocks = [
        block
        for one in missing(rule, host, runs, window)
        for block in (
            [_between(instants, one.run)]
            if one.whole
            else [[card for card in _between(instants, one.run) if card > after][:10] for after in one.after]
        )
    ]
    done = replay(rule, host, History(runs, blocks, whole=True), window)
    told = [("opened", one.opened_at) for one in done.episodes]
    told += [("closed", one.closed_at) for one in done.episodes if one.closed_at is not None]
    return sorted(told, key=lambda one: (one[1], one[0] != "closed"))


def _between(instants: Sequence[datetime], run: CardRun) -> list[datetime]:
    return [card for card in instants if run.first_at <= card <= run.last_at]


def _checked(cards: list[ReportCard], rule: AlertRule, begins: int, ends: int) -> None:
    since = NOON + timedelta(minutes=37) + begins * HOUR
    until = max(since, cards[-1].requested_at) + ends * HOUR
    assert previewed(rule, cards, since, until) == live(rule, cards, since, until)


@settings(max_examples=30, deadline=None)
@given(courses, rules, st.integers(0, 400), st.integers(0, 100))
def test_replay_over_runs_is_the_live_alerter_over_every_card(
    cards: list[ReportCard], rule: AlertRule, begins: int, ends: int
) -> None:
    _checked(cards, rule, begins, ends)


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None)
@given(courses, rules, st.integers(0, 400), st.integers(0, 100))
def test_so_it_is_for_thousands_of_courses(cards: list[ReportCard], rule: AlertRule, begins: int, ends: int) -> None:
    _checked(cards, rule, begins, ends)


def hourly(count: int, *, pauses: tuple[int, ...] = (), **fields: Any) -> list[ReportCard]:
    """Cards an hour apart, from the hour after noon; `pauses`: the numbers of those that come four hours later."""
    at, made = NOON, []
    for number in range(count):
        at += HOUR * (5 if number in pauses else 1)
        made.append(inputs.card(requested_at=at, not_after=NOON + 60 * DAY, **fields))
    return made


def test_ten_even_days_are_one_run_that_is_not_asked_for_its_cards() -> None:
    runs = runs_of(hourly(240))
    assert [run.cards for run in runs] == [240]
    window = Window(NOON + 12 * HOUR, NOON + 300 * HOUR)
    assert list(missing(rule_of(ScanOverdue(intervals=3)), inputs.host(), runs, window)) == []


def test_a_pause_ends_the_run_and_opens_what_is_overdue() -> None:
    cards = hourly(100, pauses=(50,))
    assert [run.cards for run in runs_of(cards)] == [50, 50]
    told = previewed(rule_of(ScanOverdue(intervals=3)), cards, NOON, cards[-1].requested_at)
    assert told == [("opened", cards[49].requested_at + 3 * HOUR), ("closed", cards[50].requested_at)]


def test_the_clock_opens_in_the_middle_of_a_run_and_the_cards_after_it_confirm() -> None:
    cards = hourly(31 * 24)
    rule = rule_of(ExpiresInLessThan(days=30), opens=4)
    (one,) = missing(rule, inputs.host(), runs_of(cards), Window(NOON, cards[-1].requested_at))
    assert not one.whole and len(one.after) == 1
    # By the clock it counts one; the next three cards make it four.
    after = [card.requested_at for card in cards if card.requested_at > one.after[0]]
    assert previewed(rule, cards, NOON, cards[-1].requested_at) == [("opened", after[2])]


def test_what_is_true_from_the_first_answer_to_the_end_is_open_always() -> None:
    runs = runs_of(hourly(30, outcome=Outcome.REFUSED))
    rule, host = rule_of(Unreachable(), opens=3), inputs.host()
    done = replay(rule, host, History(runs), Window(NOON, NOON + 2 * DAY))
    assert done.open_always and done.open_now and done.episodes[0].opened_at == NOON + 3 * HOUR
    mixed = [*hourly(3), *hourly(30, outcome=Outcome.REFUSED)[3:]]
    later = replay(rule, host, History(runs_of(mixed)), Window(NOON, NOON + 2 * DAY))
    assert later.open_now and not later.open_always


def test_a_host_without_a_card_is_not_judged() -> None:
    done = replay(rule_of(ScanOverdue()), inputs.host(), History(()), Window(NOON, NOON + DAY))
    assert done.judged_from is None and done.episodes == ()


@pytest.mark.parametrize(
    ("which", "unexpected", "count"),
    [("any", (), 1), ("unexpected", (), 0), ("unexpected", (Unexpected.NAME_LOST,), 1)],
)
def test_a_change_of_certificate_opens_and_closes_in_one(
    which: str, unexpected: tuple[Unexpected, ...], count: int
) -> None:
    old, new = (PathCertificate(fingerprint_sha256=one, subject="CN=a", issuer="CN=b") for one in ("a1", "b2"))
    change = CertificateChange(
        scan_id=inputs.HOST,
        target=inputs.host().target(),
        requested_at=NOON + HOUR,
        old=old,
        new=new,
        issuer_changed=False,
        unexpected=unexpected,
    )
    rule = rule_of(CertificateChanged.model_validate({"which": which}))
    told = replay(rule, inputs.host(), History((), changes=[change]), Window(NOON, NOON + DAY))
    assert [(one.opened_at, one.closed_at) for one in told.episodes] == [(NOON + HOUR, NOON + HOUR)] * count
    missed = replay(rule, inputs.host(), History((), changes=[change]), Window(NOON + 2 * HOUR, NOON + DAY))
    assert missed.episodes == ()


def test_a_host_that_was_never_scanned_is_overdue_from_its_record() -> None:
    rule, host, window = rule_of(ScanOverdue(intervals=3)), inputs.host(), Window(NOON - DAY, NOON + DAY)
    done = replay(rule, host, History((), whole=True), window)
    assert [one.opened_at for one in done.episodes] == [NOON + 3 * HOUR] and done.open_always
    # Added long before the window: overdue as it begins.
    early = replay(rule, host, History((), whole=True), Window(NOON + DAY, NOON + 2 * DAY))
    assert [one.opened_at for one in early.episodes] == [NOON + DAY] and early.open_always
    resumed = Watched(NOON + 10 * HOUR, NOON + 10 * HOUR)
    later = replay(rule, host, History((), watched=resumed, whole=True), window)
    assert [one.opened_at for one in later.episodes] == [NOON + 13 * HOUR]
    # What no card tells is unknown to every other question.
    assert replay(rule_of(Unreachable()), host, History((), whole=True), window).judged_from is None


def test_a_host_whose_early_runs_are_not_kept_is_not_overdue_before_the_first() -> None:
    runs = runs_of(hourly(30)[20:])
    rule, window = rule_of(ScanOverdue(intervals=3)), Window(NOON, NOON + DAY)
    assert replay(rule, inputs.host(), History(runs), window).episodes == ()
    assert [one.opened_at for one in replay(rule, inputs.host(), History(runs, whole=True), window).episodes] == [
        NOON + 3 * HOUR
    ]


def test_nothing_is_overdue_in_the_pause_that_ended_last() -> None:
    cards = hourly(10)
    rule, host = rule_of(ScanOverdue(intervals=3)), inputs.host()
    back = NOON + 3 * DAY
    history = History(runs_of(cards), watched=Watched(back, back))
    assert replay(rule, host, history, Window(NOON, back + 2 * HOUR)).episodes == ()
    (one,) = replay(rule, host, history, Window(NOON, back + 4 * HOUR)).episodes
    assert one.opened_at == back + 3 * HOUR
    # A silence long before the pause counts as it did.
    cards = hourly(20, pauses=(10,))
    again = replay(rule, host, History(runs_of(cards), watched=Watched(back, back)), Window(NOON, back))
    assert [one.closed_at for one in again.episodes] == [cards[10].requested_at]


def test_two_rules_held_against_each_other_share_what_they_look_at() -> None:
    history, host = History(runs_of(hourly(30, outcome=Outcome.REFUSED))), inputs.host()
    window = Window(NOON, NOON + 2 * DAY)
    alone = [replay(rule_of(Unreachable(), opens=opens), host, History(history.runs), window) for opens in (1, 4)]
    assert [replay(rule_of(Unreachable(), opens=opens), host, history, window) for opens in (1, 4)] == alone
