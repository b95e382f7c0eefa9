"""What a rule would have done at one host, had it been saved at the beginning of a window. Pure.

Judged by the code that runs live (`judging.step`), but at change points in place of every card. That rests on three
properties of questions, which tests/unit/vigilo/alerting/test_replay.py checks for each: between two cards only
`next_change` alters an answer; a later card never brings that instant nearer; and where it hangs on the card at all,
every card puts it off by the same span. So of a run of cards that told the same it is enough to look at the first ones,
at the instants the clock alone brings, and at as many cards after each of those as confirm an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from vigilo.alerting import threshold
from vigilo.alerting.judging import Change, step
from vigilo.alerting.knowledge import Course
from vigilo.alerting.lifecycle import CLOSED, AlertState
from vigilo.alerting.runs import CardRun, cards_of, peer_of
from vigilo.alerting.triggers.certificate_changed import notices
from vigilo.alerting.view import View
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import CertificateChange
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import CertificateChanged

_CAUSE = "preview"


@dataclass(frozen=True, slots=True)
class Watched:
    """Since when the time without a scan counts: added, resumed, or another interval. `resumed_at`: if ever it was."""

    since: datetime
    resumed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """What must be known of a run besides its row: the cards that follow these instants, or (`whole`) all its cards."""

    run: CardRun
    after: tuple[datetime, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a host: runs in order; `blocks` of cards without a gap between them, beyond the runs' own.

    `watched` is None for a host that was only ever added. `whole`: before the first run there was no card, so what the
    clock says of a host without one holds from when it was added. `views`: those made so far, by run and card, so that
    two rules held against each other make each but once.
    """

    runs: Sequence[CardRun]
    blocks: Sequence[Sequence[datetime]] = ()
    changes: Sequence[CertificateChange] = ()
    watched: Watched | None = None
    whole: bool = False
    views: dict[tuple[int, datetime], View] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """From when, as if the rule had been saved then, to when."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert. `began_at`: the first answer "true"; `closed_at` None = still open at the end of the window."""

    began_at: datetime
    opened_at: datetime
    closed_at: datetime | None = None
    reason: CloseReason | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """`episodes` opened in the window, oldest first; `state` is the alert's at its end, `judged_from` at its start."""

    judged_from: datetime | None
    episodes: tuple[Episode, ...] = ()
    state: AlertState = CLOSED

    @property
    def open_now(self) -> bool:
        """True if the last alert is still open."""
        return bool(self.episodes) and self.episodes[-1].closed_at is None

    @property
    def open_always(self) -> bool:
        """True if the first answer began the alert that is still open."""
        return self.open_now and len(self.episodes) == 1 and self.episodes[0].began_at == self.judged_from


def missing(rule: AlertRule, host: Host, runs: Sequence[CardRun], window: Window) -> Iterator[Missing]:
    """What `replay` needs to know besides the runs themselves, for those that are long and not over in `early`."""
    confirms = max(rule.open_after, rule.close_after) > 1
    for run in runs:
        if run.cards <= len(run.early) + 1 or run.last_at <= window.since:
            continue
        if _uneven(rule, host, run):
            yield Missing(run, whole=True)
        elif confirms:
            instants = tuple(_instants(rule, host, run, window.since))
            if instants:
                yield Missing(run, after=instants)


def _uneven(rule: AlertRule, host: Host, run: CardRun) -> bool:
    """True if the clock may have changed the answer in a pause between two cards of the run."""
    if not threshold.question(rule.trigger).by_clock:
        return False
    at_first = threshold.next_change(rule.trigger, _view(host, run, run.first_at), run.first_at)
    if at_first is None or run.longest_gap <= at_first - run.first_at:
        return False
    return at_first != threshold.next_change(rule.trigger, _view(host, run, run.last_at), run.first_at)


def _instants(rule: AlertRule, host: Host, run: CardRun, since: datetime) -> Iterator[datetime]:
    view, at = _view(host, run, run.last_at), run.first_at
    if run.first_at < since:
        yield since
        at = since
    while (at := threshold.next_change(rule.trigger, view, at) or run.last_at) < run.last_at:
        yield at


def replay(rule: AlertRule, host: Host, history: History, window: Window) -> Replayed:
    """The rule's alerts at the host. Snoozes are not applied, and no recheck is made up."""
    if isinstance(rule.trigger, CertificateChanged):
        return _told(rule.trigger, history.changes, window)
    play = _Play(rule, host, window, history)
    for run in history.runs:
        play.run(run, history.blocks)
    return play.end()


def resumed(rule: AlertRule, host: Host, history: History, state: AlertState, window: Window) -> AlertState:
    """An alert's state after the window; for one that waits for confirmation, whose cards are all known."""
    play = _Play(rule, host, window, history, state)
    for run in history.runs:
        play.run(run, history.blocks)
    return play.end().state


def _told(trigger: CertificateChanged, changes: Sequence[CertificateChange], window: Window) -> Replayed:
    instants = [
        change.requested_at
        for change in changes
        if window.since <= change.requested_at <= window.until and notices(trigger, change)
    ]
    return Replayed(window.since, tuple(Episode(at, at, at) for at in instants))


@dataclass(slots=True)
class _Play:
    """One rule at one host, walked through in time. `view`: as the last card left it; `at`: judged up to then.

    `settled`: the last card changed nothing, so another one that tells the same would not either.
    """

    rule: AlertRule
    host: Host
    window: Window
    history: History
    state: AlertState = CLOSED
    settled: bool = False
    view: View | None = None
    at: datetime | None = None
    judged_from: datetime | None = None
    began_at: datetime | None = None
    last_before: CardRun | None = None
    episodes: list[Episode] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A reminder tells again what is open: nothing opens or closes with it.
        self.rule = self.rule.model_copy(update={"remind_every_minutes": None})
        watched = self.history.watched
        if watched is not None:
            # The pause was after this run.
            before = (run for run in reversed(self.history.runs) if run.last_at <= watched.since)
            self.last_before = next(before, None)
        if self.history.whole:
            self.view = present(self.host, None, None if self.history.runs else watched)

    def run(self, run: CardRun, blocks: Sequence[Sequence[datetime]]) -> None:
        """The cards of a run, until it is clear that none of the rest changes anything."""
        for card, gapless in cards_of(run, blocks):
            if card > self.window.until:
                return
            self._card(run, card, gapless=gapless)
            last = self._view(run, run.last_at) if self.settled and run.last_at <= self.window.until else None
            if last is not None and self._quiet(run, last):
                self.view, self.at = last, run.last_at
                return

    def end(self) -> Replayed:
        """The clock runs on to the end of the window."""
        self._clock(self.window.until)
        return Replayed(self.judged_from, tuple(self.episodes), self.state)

    def _card(self, run: CardRun, card: datetime, *, gapless: bool) -> None:
        """The next known card; `gapless`: no other came between it and the one before."""
        view = self._view(run, card)
        self.settled = False
        if card > self.window.since:
            if not gapless:
                self.view = view  # the clock runs on as the cards between them left it
            self._clock(card)
            self.view, before = view, self.state
            self._judge(view, card, fresh=True)
            self.settled = self.state is before
        self.view = view

    def _view(self, run: CardRun, card: datetime) -> View:
        key, views, watched = (id(run), card), self.history.views, self.history.watched
        if key not in views:
            later = watched if run is self.last_before or (watched and card > watched.since) else None
            since = None if later is None else later.since
            views[key] = _view(self.host, run, card, watched_since=since)
        return views[key]

    def _quiet(self, run: CardRun, last: View) -> bool:
        """True if the clock changes nothing between here and the last card of the run (see `_uneven`)."""
        if self.view is None or self.at is None:
            return False
        instant = threshold.next_change(self.rule.trigger, self.view, self.at)
        if instant is not None and instant - self.at > run.longest_gap:
            instant = threshold.next_change(self.rule.trigger, last, self.at)
        return instant is None or instant > run.last_at

    def _clock(self, until: datetime) -> None:
        """What time alone does before that instant; at first, what the rule says of a host that is known already."""
        if self.view is None:
            return
        if self.at is None:
            watched_since = self.view.course.watched_since or self.window.since
            begin = self.window.since if self.view.known is not None else max(self.window.since, watched_since)
            self._judge(self.view, begin, fresh=False)
        at = self.at
        while at is not None:
            at = threshold.next_change(self.rule.trigger, self.view, at)
            if at is None or at >= until:
                return
            self._judge(self.view, at, fresh=False)

    def _judge(self, view: View, at: datetime, *, fresh: bool) -> None:
        self.at = at
        self.state, change = step(self.state, self.rule, view, at, cause_id=_CAUSE, fresh=fresh, snoozed=False)
        if self.judged_from is None and (view.known is not None or self.state.alive):
            self.judged_from = at
        match None if change is None else change.kind:
            case TransitionKind.PENDING:
                self.began_at = at
            case TransitionKind.OPENED:
                self.episodes.append(Episode(self.began_at or at, at))
                self.began_at = None
            case TransitionKind.CLOSED:
                self.began_at = None
                self._closed(at, change)

    def _closed(self, at: datetime, change: Change | None) -> None:
        if self.episodes and self.episodes[-1].closed_at is None:
            reason = None if change is None else change.reason
            self.episodes[-1] = replace(self.episodes[-1], closed_at=at, reason=reason)


def _view(host: Host, run: CardRun, card: datetime, *, watched_since: datetime | None = None) -> View:
    return View(host, run.known, run.course_at(card, watched_since=watched_since or host.created_at))


def present(host: Host, run: CardRun | None, watched: Watched | None = None) -> View:
    """What triggers look at now.

    Of another peer than the host has by its record, and from before a pause, only counts when it was looked at.
    """
    watched = watched or Watched(host.created_at)
    if run is None:
        return View(host, None, Course(watched_since=watched.since))
    view = _view(host, run, run.last_at, watched_since=watched.since)
    stale = watched.resumed_at is not None and run.last_at <= watched.resumed_at
    if not stale and run.peer == peer_of(host.target()):
        return view
    return View(host, None, Course(watched_since=watched.since, performed_at=view.course.performed_at))
