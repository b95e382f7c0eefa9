"""Tries a draft on the history of its hosts: gathers what the pure core asks for, and shows what it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.api.models.observed import HostRef
from services.api.models.previews import (
    ComparisonView,
    DifferenceView,
    EpisodeView,
    HostPreview,
    PreviewTotals,
    PreviewView,
)
from services.api.problems import Problem
from services.api.queries import runs as query
from vigilo.adapters.postgres import Connection
from vigilo.alerting.replay import Episode, History, Missing, Watched, Window, missing, replay
from vigilo.alerting.runs import CardRun
from vigilo.alerting.scope import in_scope
from vigilo.alerting.trial import Difference, Totals, Tried, differences, told, totals, worst_first
from vigilo.events.cards import CertificateChange
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import CertificateChanged

# More change points than this are a workspace in uproar; trying it takes longer than anybody waits.
RUNS_MOST: Final = 150_000
_HOSTS_SHOWN: Final = 200
_EPISODES_SHOWN: Final = 50
_DIFFERENCES_SHOWN: Final = 200

_ASSUMPTIONS: Final = (
    "The rule was saved at the beginning of the window and enabled all the time.",
    "Hosts had the tags and the interval of today. Paused hosts are left out. Those that run again keep what "
    "their pause closed; no scan is overdue in the last of their pauses.",
    "Without snoozes: what was snoozed is counted as open.",
    "Answers are confirmed by the scans that were made; the scans that a pending alert asks for (30 s apart) are not "
    "made up, so what waits for confirmation opens and closes later here than it would.",
    "Vigilo itself was never away: time without it counts as time without a scan.",
    "Instants are those at which scans were asked for.",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft, the rule it is compared with, and the window."""

    draft: AlertRule
    present: AlertRule | None
    window: Window

    @property
    def working(self) -> AlertRule | None:
        """The present one, unless it is disabled: then it opens nothing."""
        return self.present if self.present is not None and self.present.enabled else None

    @property
    def rules(self) -> tuple[AlertRule, ...]:
        """Those that are tried."""
        return (self.draft,) if self.working is None else (self.draft, self.working)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a trial needs of its hosts. `begins`: the first card of any of them; None without one."""

    hosts: Sequence[Host]
    paused: int
    runs: Mapping[UUID, Sequence[CardRun]]
    blocks: Mapping[UUID, Sequence[Sequence[datetime]]]
    changes: Mapping[UUID, Sequence[CertificateChange]]
    watched: Mapping[UUID, Watched]
    begins: datetime | None

    def history(self, host: Host) -> History:
        """Of one host."""
        one = host.host_id
        runs = self.runs.get(one, ())
        # The read model may have been filled long after the host was added: then nobody knows what came before.
        whole = not runs or (self.begins is not None and host.created_at >= self.begins)
        return History(runs, self.blocks.get(one, ()), self.changes.get(one, ()), self.watched.get(one), whole=whole)


async def gather(connection: Connection, trial: Trial) -> Gathered:
    """What the trial needs. Raises a 422 problem if that is too much."""
    hosts, paused = await query.hosts_in(connection, [rule.scope for rule in trial.rules])
    since, until = trial.window.since, trial.window.until
    ids = [host.host_id for host in hosts]
    runs = await query.runs(connection, ids, since=since, until=until, limit=RUNS_MOST + 1)
    if sum(map(len, runs.values())) > RUNS_MOST:
        detail = "So many scans changed something that the trial would take too long: try fewer days or a tag."
        raise Problem(422, "too-much-history", detail)
    wanted = await asyncio.to_thread(_missing, trial, hosts, runs)
    blocks = await query.cards(connection, wanted)
    told_once = any(isinstance(rule.trigger, CertificateChanged) for rule in trial.rules)
    changes = await query.changes(connection, ids, since=since, until=until) if told_once else {}
    begins = min((of_host[0].first_at for of_host in runs.values()), default=None)
    return Gathered(hosts, paused, runs, blocks, changes, await query.watched(connection, ids), begins)


def _missing(trial: Trial, hosts: Sequence[Host], runs: Mapping[UUID, Sequence[CardRun]]) -> list[Missing]:
    return [
        one
        for host in hosts
        for rule in trial.rules
        if in_scope(rule, host)
        for one in missing(rule, host, runs.get(host.host_id, ()), trial.window)
    ]


def tried(trial: Trial, gathered: Gathered) -> list[Tried]:
    """Both rules at every host. Pure; takes a second per thousand hosts, so not in the event loop."""
    found = []
    for host in gathered.hosts:
        history = gathered.history(host)
        after, before = (
            None if rule is None or not in_scope(rule, host) else replay(rule, host, history, trial.window)
            for rule in (trial.draft, trial.working)
        )
        found.append(Tried(host, after, before))
    return found


def shown(trial: Trial, gathered: Gathered, found: Sequence[Tried]) -> PreviewView:
    """The answer. Pure."""
    window, sums = trial.window, totals(found)
    counted = {name: getattr(sums, name) for name in PreviewTotals.model_fields if name != "paused"}
    compared = None if trial.present is None else _compared(trial.present, found)
    return PreviewView(
        since=window.since,
        until=window.until,
        known_since=None if gathered.begins is None else max(window.since, gathered.begins),
        sentence=_sentence(trial, gathered, sums, compared),
        totals=PreviewTotals(**counted, paused=gathered.paused),
        hosts=[_host(one) for one in worst_first(found)[:_HOSTS_SHOWN]],
        compared=compared,
        assumptions=list(_ASSUMPTIONS),
    )


def _sentence(trial: Trial, gathered: Gathered, sums: Totals, compared: ComparisonView | None) -> str:
    since, until = trial.window.since, trial.window.until
    sentence = told(sums, days=round((until - since) / timedelta(days=1)))
    if gathered.begins is not None and gathered.begins - since > timedelta(days=1):
        sentence += f" Scans are known since {gathered.begins:%Y-%m-%d} only."
    if compared is not None:
        which = f"Against version {compared.version} as it is" + ("" if compared.enabled else " (disabled)")
        counts = f"{compared.added} more, {compared.removed} fewer, {compared.moved} at other times"
        sentence += f" {which}: {counts}."
    return sentence


def _compared(present: AlertRule, found: Sequence[Tried]) -> ComparisonView:
    differing = differences(found)
    counts = Counter(one.kind for one in differing)
    return ComparisonView(
        rule_id=present.rule_id,
        version=present.version,
        enabled=present.enabled,
        added=counts[Difference.ADDED],
        removed=counts[Difference.REMOVED],
        moved=counts[Difference.MOVED],
        differences=[
            DifferenceView(host=_ref(one.host), kind=one.kind, before=_episode(one.before), after=_episode(one.after))
            for one in differing[:_DIFFERENCES_SHOWN]
        ],
    )


def _host(one: Tried) -> HostPreview:
    done = one.after
    assert done is not None and done.judged_from is not None  # it fired
    shown_episodes = (_episode(episode) for episode in done.episodes[-_EPISODES_SHOWN:])
    return HostPreview(
        host=_ref(one.host),
        judged_from=done.judged_from,
        opened=len(done.episodes),
        closed=sum(episode.closed_at is not None for episode in done.episodes),
        open_now=done.open_now,
        open_always=done.open_always,
        flapping=one.flapping,
        episodes=[episode for episode in shown_episodes if episode is not None],
    )


def _episode(one: Episode | None) -> EpisodeView | None:
    if one is None:
        return None
    return EpisodeView(opened_at=one.opened_at, closed_at=one.closed_at, close_reason=one.reason)


def _ref(host: Host) -> HostRef:
    return HostRef(host_id=host.host_id, hostname=host.hostname, port=host.port, tags=host.tags)
