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
from vigilo.alerting.lifecycle import CLOSED, AlertState
from vigilo.alerting.runs import CardRun, peer_of
from vigilo.alerting.triggers.certificate_changed import notices
from vigilo.alerting.view import View
from vigilo.events.alerts import CloseReason, TransitionKind
from vigilo.events.cards import CertificateChange
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import CertificateChanged

_CAUSE = "preview"


@dataclass(frozen=True, slots=True)
class Missing:
    """What must be known of a run besides its row: the cards that follow these instants, or (`whole`) all its cards."""

    run: CardRun
    after: tuple[datetime, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a host: runs in order; `blocks` of cards without a gap between them, beyond the runs' own.

    `views`: those made so far, by run and card, so that two rules held against each other make each but once.
    """

    runs: Sequence[CardRun]
    blocks: Sequence[Sequence[datetime]] = ()
    changes: Sequence[CertificateChange] = ()
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
    play = _Play(rule, host, window, history.views)
    for run in history.runs:
        play.run(run, history.blocks)
    return play.end()


def resumed(rule: AlertRule, host: Host, runs: Sequence[CardRun], state: AlertState, window: Window) -> AlertState:
    """An alert's state after the window; for one that waits for confirmation, whose cards are a run's first few."""
    play = _Play(rule, host, window, {}, state)
    for run in runs:
        play.run(run, ())
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
    views: dict[tuple[int, datetime], View]
    state: AlertState = CLOSED
    settled: bool = False
    view: View | None = None
    at: datetime | None = None
    judged_from: datetime | None = None
    began_at: datetime | None = None
    episodes: list[Episode] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A reminder tells again what is open: nothing opens or closes with it.
        self.rule = self.rule.model_copy(update={"remind_every_minutes": None})

    def run(self, run: CardRun, blocks: Sequence[Sequence[datetime]]) -> None:
        """The cards of a run, until it is clear that none of the rest changes anything."""
        for card, gapless in _cards(run, blocks):
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
        key = (id(run), card)
        if key not in self.views:
            self.views[key] = _view(self.host, run, card)
        return self.views[key]

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
            self._judge(self.view, self.window.since, fresh=False)
        at = self.at
        while at is not None:
            at = threshold.next_change(self.rule.trigger, self.view, at)
            if at is None or at >= until:
                return
            self._judge(self.view, at, fresh=False)

    def _judge(self, view: View, at: datetime, *, fresh: bool) -> None:
        self.at, self.judged_from = at, self.judged_from or at
        self.state, change = step(self.state, self.rule, view, at, cause_id=_CAUSE, fresh=fresh, snoozed=False)
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


def _cards(run: CardRun, blocks: Sequence[Sequence[datetime]]) -> Iterator[tuple[datetime, bool]]:
    """The known cards of a run in order, each with whether it follows the one before without another between them."""
    yield from ((card, True) for card in run.early)
    if run.cards == len(run.early):
        return
    inside = (tuple(card for card in block if run.first_at <= card <= run.last_at) for block in blocks)
    pieces = sorted(block for block in (*inside, (run.last_at,)) if block)
    complete = len({*run.early, *(card for piece in pieces for card in piece)}) == run.cards
    covered = run.early[-1]
    for piece in pieces:
        for number, card in enumerate(piece):
            if card > covered:
                yield card, complete or number > 0
                covered = card


def _view(host: Host, run: CardRun, card: datetime) -> View:
    return View(host, run.known, run.course_at(card, watched_since=host.created_at))


def present(host: Host, run: CardRun | None) -> View:
    """What triggers look at now; nothing is known yet of another peer than the host has by its record."""
    if run is None or run.peer != peer_of(host.target()):
        return View(host)
    return _view(host, run, run.last_at)
