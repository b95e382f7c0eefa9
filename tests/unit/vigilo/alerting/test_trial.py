"""A draft against the rule as it is: which alerts come, go and move."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from vigilo.alerting.replay import Episode, Replayed
from vigilo.alerting.trial import Difference, Tried, differences, told, totals, worst_first


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


def done(*spans: tuple[int, int | None]) -> Replayed:
    return Replayed(NOON, tuple(Episode(at(a), at(a), None if b is None else at(b)) for a, b in spans))


def kinds(before: Replayed | None, after: Replayed | None) -> list[Difference]:
    return [one.kind for one in differences([Tried(inputs.host(), after, before)])]


def test_what_overlaps_is_the_same_alert() -> None:
    assert kinds(done((1, 3)), done((1, 3))) == []
    assert kinds(done((1, 3)), done((2, None))) == [Difference.MOVED]
    assert kinds(done((1, 3)), done((3, 5))) == [Difference.ADDED, Difference.REMOVED]
    assert kinds(done((1, None)), done((2, 3), (4, 5))) == [Difference.MOVED, Difference.ADDED]


def test_a_notice_is_the_same_where_its_instant_is() -> None:
    assert kinds(done((1, 1)), done((1, 1))) == []
    assert kinds(done((1, 1)), done((2, 2))) == [Difference.ADDED, Difference.REMOVED]


def test_a_host_that_leaves_the_scope_loses_its_alerts() -> None:
    assert kinds(done((1, 2), (3, None)), None) == [Difference.REMOVED, Difference.REMOVED]


def test_the_worst_come_first_and_all_are_counted() -> None:
    host = inputs.host()
    always, now = done((0, None)), done((1, 2), (3, None))
    flapping, quiet = done((1, 2), (3, 4), (5, 6)), done()
    tried = [Tried(host, one) for one in (quiet, flapping, now, always)]
    assert [one.after for one in worst_first(tried)] == [always, now, flapping]
    sums = totals([*tried, Tried(host, None, always), Tried(host, Replayed(None))])
    assert (sums.hosts, sums.unjudged, sums.fired, sums.opened, sums.closed) == (5, 1, 3, 6, 4)
    assert (sums.open_now, sums.open_always, sums.flapping) == (2, 1, 1)
    assert told(sums, days=30) == (
        "In the last 30 days it would have opened 6 alerts on 3 of 5 hosts, open now on 2, open always on 1, "
        "flapping (3 alerts or more) on 1."
    )
    assert "Nothing" in told(totals([Tried(host, quiet)]), days=1)
