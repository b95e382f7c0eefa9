"""A draft of a rule tried on the history of its hosts, and held against the rule as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vigilo.alerting.replay import Episode, Replayed
from vigilo.events.hosts import Host

# So many alerts of one host within the window are a rule that goes on and off.
FLAPPING = 3

_NOTHING = Replayed(None)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it at one host; `before`: what the rule as it is would have done. None = not in that one's scope."""

    host: Host
    after: Replayed | None
    before: Replayed | None = None

    @property
    def flapping(self) -> bool:
        """True if the draft opens again and again."""
        return self.after is not None and len(self.after.episodes) >= FLAPPING


class Difference(StrEnum):
    """What became of an alert. `moved`: it opens or closes at another instant."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Differing:
    """One alert that is not the same with both."""

    host: Host
    kind: Difference
    before: Episode | None = None
    after: Episode | None = None


@dataclass(slots=True)
class Totals:
    """Counts over all hosts in the draft's scope. `unjudged`: no report card of them is kept."""

    hosts: int = 0
    unjudged: int = 0
    fired: int = 0
    opened: int = 0
    closed: int = 0
    open_now: int = 0
    open_always: int = 0
    flapping: int = 0


def totals(tried: Iterable[Tried]) -> Totals:
    """The counts."""
    sums = Totals()
    for one in tried:
        if one.after is not None:
            _add(sums, one, one.after)
    return sums


def _add(sums: Totals, one: Tried, done: Replayed) -> None:
    sums.hosts += 1
    sums.unjudged += done.judged_from is None
    sums.fired += bool(done.episodes)
    sums.opened += len(done.episodes)
    sums.closed += sum(episode.closed_at is not None for episode in done.episodes)
    sums.open_now += done.open_now
    sums.open_always += done.open_always
    sums.flapping += one.flapping


def differences(tried: Iterable[Tried]) -> list[Differing]:
    """What the draft adds, removes and moves, host by host, in the order of time."""
    return [each for one in tried for each in _between(one)]


def _between(one: Tried) -> Iterable[Differing]:
    before, after = (one.before or _NOTHING).episodes, (one.after or _NOTHING).episodes
    left = list(before)
    for episode in after:
        twin = next((old for old in left if _overlap(old, episode)), None)
        if twin is None:
            yield Differing(one.host, Difference.ADDED, after=episode)
            continue
        left.remove(twin)
        if (twin.opened_at, twin.closed_at) != (episode.opened_at, episode.closed_at):
            yield Differing(one.host, Difference.MOVED, twin, episode)
    for old in left:
        yield Differing(one.host, Difference.REMOVED, before=old)


def _overlap(one: Episode, other: Episode) -> bool:
    """True if there is an instant at which both are open; what opens as the other closes is another alert."""
    if one.opened_at == other.opened_at:
        return True
    first, second = sorted((one, other), key=lambda episode: episode.opened_at)
    return first.closed_at is None or second.opened_at < first.closed_at


def worst_first(tried: Sequence[Tried]) -> list[Tried]:
    """Those of the draft that fired: open always, open now, then by how often; by name where that is the same."""

    def place(one: Tried) -> tuple[bool, bool, int, str]:
        done = one.after or _NOTHING
        return not done.open_always, not done.open_now, -len(done.episodes), one.host.hostname

    return sorted((one for one in tried if one.after is not None and one.after.episodes), key=place)


def told(sums: Totals, *, days: int) -> str:
    """The totals in one sentence."""
    if sums.hosts == 0:
        return "No host that is watched is in the rule's scope."
    if sums.opened == 0:
        return f"Nothing would have opened on {_hosts(sums.hosts)} in the last {_days(days)}."
    parts = [f"{sums.opened} alert{'s' * (sums.opened > 1)} on {sums.fired} of {_hosts(sums.hosts)}"]
    if sums.open_now:
        parts.append(f"open now on {sums.open_now}")
    if sums.open_always:
        parts.append(f"open always on {sums.open_always}")
    if sums.flapping:
        parts.append(f"flapping ({FLAPPING} alerts or more) on {sums.flapping}")
    return f"In the last {_days(days)} it would have opened {', '.join(parts)}."


def _hosts(count: int) -> str:
    return f"{count} host{'s' * (count != 1)}"


def _days(days: int) -> str:
    return "day" if days == 1 else f"{days} days"
