"""One judgement: clearing, reminders, edits under a count, questions that lose their sense."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.inputs import NOON, card, host, rule
from vigilo.alerting import judging, lifecycle
from vigilo.alerting.judging import Change
from vigilo.alerting.knowledge import Course, Knowledge, learn
from vigilo.alerting.lifecycle import CLOSED, Acknowledgement, AlertState, Phase
from vigilo.alerting.view import View
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import Verdict
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import (
    CertificateChanged,
    ChainValidationFails,
    ExpiresInLessThan,
    OcspStaplingStops,
    ScanOverdue,
    Unreachable,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BAD, GOOD = Verdict.NO, Verdict.YES


class Play:
    """One rule at one host, judged again and again."""

    def __init__(self, **changes: Any) -> None:
        self.rule: AlertRule = rule(**{"trigger": ChainValidationFails(), **changes})
        self.state: AlertState = CLOSED
        self.at: datetime = NOON
        self.known: Knowledge | None = None
        self.course = Course()
        self.last: Change | None = None

    def edit(self, **changes: Any) -> None:
        self.rule = self.rule.model_copy(update={"version": self.rule.version + 1, **changes})

    def judge(self, *, fresh: bool = False, snoozed: bool = False) -> str:
        """The kind that follows, "" for none."""
        view, cause = View(host(), self.known, self.course), self.at.isoformat()
        self.state, self.last = judging.step(
            self.state, self.rule, view, self.at, cause_id=cause, fresh=fresh, snoozed=snoozed
        )
        return "" if self.last is None else str(self.last.kind)

    def scan(self, verdict: Verdict | None, *, snoozed: bool = False) -> str:
        """The next second's scan; `verdict` None: unreachable."""
        self.at += SECOND
        seen = {} if verdict is None else {"chain_valid": verdict, "not_after": NOON + timedelta(days=80)}
        self.known = learn(self.known, card(requested_at=self.at, **seen))  # type: ignore[arg-type]
        return self.judge(fresh=True, snoozed=snoozed)

    def scans(self, *verdicts: Verdict | None, snoozed: bool = False) -> list[str]:
        return [self.scan(one, snoozed=snoozed) for one in verdicts]

    def after(self, span: timedelta, *, snoozed: bool = False) -> str:
        self.at += span
        return self.judge(snoozed=snoozed)

    def acknowledge(self) -> None:
        seen = Acknowledgement.of(at=self.at, by="ada", note=None)
        kind, alert_id = TransitionKind.ACKNOWLEDGED, self.state.alert_id
        assert alert_id is not None
        self.state = lifecycle.evolve(self.state, kind, alert_id=alert_id, at=self.at, acknowledged=seen)


def test_the_first_answer_that_it_is_over_asks_for_scans_that_confirm_it() -> None:
    play = Play(close_after=3)
    assert play.scans(BAD, GOOD) == ["opened", "clearing"]
    assert play.last is not None
    assert play.last.scans_to_confirm == 2
    assert (play.state.phase, play.state.n) == (Phase.OPEN, 2)
    assert play.scans(None, GOOD, None, GOOD) == ["", "", "", "closed"]


def test_pending_says_how_many_scans_are_missing() -> None:
    play = Play(open_after=3)
    assert play.scan(BAD) == "pending"
    assert play.last is not None
    assert play.last.scans_to_confirm == 2
    assert play.scans(BAD, BAD) == ["", "opened"]
    assert play.last.scans_to_confirm == 0


def test_clearing_begins_again_after_a_relapse() -> None:
    assert Play(close_after=2).scans(BAD, GOOD, BAD, GOOD, GOOD) == ["opened", "clearing", "", "clearing", "closed"]


def test_a_suppressed_alert_closes_as_slowly_but_asks_for_no_scans() -> None:
    assert Play(close_after=2).scans(BAD, GOOD, GOOD, snoozed=True) == ["suppressed", "", "closed"]


def test_answers_to_another_question_do_not_count() -> None:
    play = Play(open_after=3)
    assert play.scans(BAD, BAD) == ["pending", ""]
    play.edit(trigger=Unreachable())
    assert play.scans(None, None, None) == ["", "", "opened"]


def test_a_count_goes_on_when_only_its_limit_changes() -> None:
    play = Play(open_after=3, close_after=3)
    assert play.scans(BAD, BAD) == ["pending", ""]
    play.edit(open_after=2)
    assert play.judge() == "opened"
    assert play.scan(GOOD) == "clearing"
    play.edit(close_after=2)
    assert play.judge() == ""
    play.edit(name="another", close_after=4)
    assert play.scans(GOOD, GOOD, GOOD) == ["", "", "closed"]


def test_another_kind_of_trigger_under_an_open_alert_leaves_open_what_is_still_true() -> None:
    play = Play(close_after=2)
    play.scan(BAD)
    alert_id = play.state.alert_id
    play.edit(trigger=ExpiresInLessThan(days=90))
    assert play.judge() == ""
    play.edit(trigger=Unreachable())
    assert play.judge() == "clearing"
    assert play.scan(GOOD) == "closed"
    assert play.last is not None
    assert play.last.before.alert_id == alert_id


def test_an_alert_closes_when_its_question_has_lost_its_sense() -> None:
    for trigger in (CertificateChanged(), OcspStaplingStops()):
        play = Play(close_after=3)
        play.scan(BAD)
        assert play.known is not None
        play.known = play.known.model_copy(update={"staple_wanted": False})
        play.edit(trigger=trigger)
        assert play.judge() == "closed"
        assert play.last is not None
        assert play.last.reason is CloseReason.NOT_APPLICABLE
        assert play.judge(fresh=True) == ""


def test_reminders_come_at_exact_instants_while_nobody_has_acknowledged() -> None:
    play = Play(remind_every_minutes=60)
    play.scan(BAD)
    opened = play.at
    assert lifecycle.remind_at(play.state, play.rule) == opened + HOUR
    assert play.after(HOUR - SECOND) == ""
    assert play.after(SECOND) == "reminder"
    assert play.judge() == ""
    assert lifecycle.remind_at(play.state, play.rule) == opened + 2 * HOUR
    assert play.after(5 * HOUR) == "reminder"
    assert play.judge() == ""
    play.acknowledge()
    assert lifecycle.remind_at(play.state, play.rule) is None
    assert play.after(5 * HOUR) == ""


def test_no_reminder_under_a_snooze_nor_of_what_seems_to_be_over() -> None:
    play = Play(remind_every_minutes=60, close_after=2)
    play.scan(BAD)
    assert play.after(2 * HOUR, snoozed=True) == ""
    assert play.judge() == "reminder"
    assert play.scan(GOOD) == "clearing"
    assert play.after(2 * HOUR) == ""
    assert play.scan(BAD) == "reminder"


def test_reminders_follow_their_interval_when_it_changes() -> None:
    play = Play()
    play.scan(BAD)
    assert play.after(24 * HOUR) == ""
    play.edit(remind_every_minutes=60)
    assert play.judge() == "reminder"
    play.edit(remind_every_minutes=None)
    assert play.after(24 * HOUR) == ""


def test_an_acknowledgement_lasts_until_the_alert_closes() -> None:
    play = Play()
    play.scan(BAD, snoozed=True)
    play.acknowledge()
    assert play.judge() == "opened"
    assert play.state.acknowledged is not None
    play.scans(GOOD, BAD)
    assert play.state.acknowledged is None


@pytest.mark.parametrize("text", ["x" * 5000, "é" * 5000, "\N{BELL}" * 5000, "short"])
def test_an_acknowledgement_takes_little_of_the_row(text: str) -> None:
    seen = Acknowledgement.of(at=NOON, by=text, note=text)
    assert len(seen.model_dump_json().encode()) < 512
    assert text.startswith(seen.note or "-")


def test_that_we_were_away_excuses_no_host_of_what_was_told() -> None:
    play = Play(trigger=ScanOverdue(intervals=2))
    play.course = Course(performed_at=NOON)
    assert play.after(3 * HOUR) == "opened"
    play.course = Course(performed_at=NOON, excused_until=NOON + 5 * HOUR)
    assert play.judge() == ""
    later = Play(trigger=ScanOverdue(intervals=2))
    later.course = play.course
    assert later.after(3 * HOUR) == ""
    assert later.after(2 * HOUR) == "opened"
