"""Alerts that must be confirmed: when they are looked at again, on which lane, how deep, and when no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes.inputs import HOST
from tests.unit.services.scheduler.confirming import HALF, LATER, Confirming, told
from tests.unit.services.scheduler.world import MINUTE, SECOND, World, only_request
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind
from vigilo.events.hosts import HostStatus, Interval
from vigilo.events.scans import Depth, Lane, ScanReason


def test_what_must_be_confirmed_twice_is_looked_at_twice_half_a_minute_apart() -> None:
    world = Confirming()
    pending = told(scans=2)
    assert world.tell(pending) == []
    rechecks = world.rechecks(until=LATER + 10 * MINUTE)
    assert [at for at, _ in rechecks] == [LATER + HALF, LATER + 2 * HALF]
    assert [asked.scan_id for _, asked in rechecks] == [
        ids.caused_scan_id(HOST, f"recheck/{pending.transition_id}/{number}") for number in (1, 2)
    ]
    first = rechecks[0][1]
    assert (first.lane, first.depth, first.not_after) == (Lane.NOW, Depth.LIGHT, LATER + HALF + MINUTE)


def test_a_scan_asked_for_meanwhile_puts_the_recheck_off() -> None:
    world = Confirming()
    world.tell(told(scans=1))
    (asked,) = world.command(at=LATER + 20 * SECOND)
    world.answer(asked, at=LATER + 21 * SECOND)
    assert [at for at, _ in world.rechecks(until=LATER + 10 * MINUTE)] == [LATER + 50 * SECOND]


def test_a_transition_without_anything_to_confirm_asks_for_nothing() -> None:
    world = Confirming()
    due = world.decision.next_at
    assert world.tell(told(TransitionKind.OPENED)) == []
    assert world.decision.next_at == due


@pytest.mark.parametrize("kind", [TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.SUPPRESSED])
def test_a_later_transition_of_the_alert_ends_its_rechecks(kind: TransitionKind) -> None:
    world = Confirming()
    world.tell(told(scans=3))
    asked = only_request(world.wake())
    world.answer_lightly(asked, at=LATER + 31 * SECOND)
    world.tell(told(kind, n=2, at=LATER + 32 * SECOND))
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


@pytest.mark.parametrize("kind", [TransitionKind.ACKNOWLEDGED, TransitionKind.REMINDER])
def test_what_says_nothing_of_the_host_ends_nothing(kind: TransitionKind) -> None:
    world = Confirming()
    world.tell(told(TransitionKind.CLEARING, n=3, scans=1))
    world.tell(told(kind, n=4, at=LATER + SECOND))
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 1


def test_an_alert_that_clears_twice_is_confirmed_twice() -> None:
    world = Confirming()
    world.tell(told(TransitionKind.CLEARING, n=3, scans=1))
    first = world.rechecks(until=LATER + 5 * MINUTE)
    world.tell(told(TransitionKind.CLEARING, n=4, scans=1, at=LATER + 6 * MINUTE))
    second = world.rechecks(until=LATER + 10 * MINUTE)
    assert [at for at, _ in (*first, *second)] == [LATER + HALF, LATER + 6 * MINUTE + HALF]


def test_one_scan_serves_all_alerts_of_the_host() -> None:
    world = Confirming()
    world.tell(told(scans=2, cause="a"))
    world.tell(told(scans=1, cause="b"))
    world.tell(told(scans=3, cause="c", at=LATER + 10 * SECOND))
    assert [at for at, _ in world.rechecks(until=LATER + 10 * MINUTE)] == [LATER + n * HALF for n in (1, 2, 3)]


def test_the_end_of_one_alert_leaves_the_rechecks_of_another() -> None:
    world = Confirming()
    world.tell(told(scans=2, cause="a"))
    world.tell(told(scans=2, cause="b"))
    world.tell(told(TransitionKind.CLOSED, n=2, cause="a", at=LATER + SECOND))
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 2


def test_rechecks_of_alerts_that_follow_each_other_keep_their_distance() -> None:
    world = Confirming()
    world.tell(told(scans=1, cause="a", at=LATER))
    world.answer_lightly(only_request(world.wake()), at=LATER + HALF + SECOND)
    late = told(scans=1, cause="b", at=LATER + SECOND)
    world.tell(late, at=LATER + HALF + 2 * SECOND)
    assert [at for at, _ in world.rechecks(until=LATER + 10 * MINUTE)] == [LATER + 2 * HALF]


def test_many_alerts_of_one_host_keep_their_record_small_and_are_all_served() -> None:
    world = Confirming()
    for number in range(1, 31):
        world.tell(told(scans=number % 9 + 1, cause=f"{number}"))
    assert world.known is not None
    assert len(world.known.confirming.model_dump_json()) < 1024
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 9


def test_a_transition_that_comes_again_decides_nothing() -> None:
    world = Confirming()
    pending, opened = told(scans=2), told(TransitionKind.OPENED, n=2, at=LATER + 5 * MINUTE)
    world.tell(pending)
    assert len(world.rechecks(until=LATER + 2 * MINUTE)) == 2
    assert world.tell(pending, at=LATER + 2 * MINUTE) == []
    assert world.rechecks(until=LATER + 4 * MINUTE) == []
    world.tell(opened)
    for again in (pending, opened):
        assert world.tell(again, at=LATER + 6 * MINUTE) == []
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_years_of_old_transitions_ask_for_nothing() -> None:
    world = Confirming()
    world.tell(told(scans=2, at=LATER - timedelta(minutes=61)), at=LATER)
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_a_transition_read_late_is_confirmed_at_once() -> None:
    world = Confirming()
    world.tell(told(scans=1, at=LATER), at=LATER + 59 * MINUTE)
    assert world.sent != []
    assert only_request(world.sent).reason is ScanReason.RECHECK


def test_a_pause_ends_rechecks_and_so_does_another_peer() -> None:
    for change in ({"status": HostStatus.PAUSED}, {"port": 8443}, {"status": HostStatus.DELETED}):
        world = Confirming()
        world.tell(told(scans=2))
        sent = world.host(version=2, interval=Interval.H24, at=LATER + SECOND, **change)
        if sent:
            world.answer(sent[0], at=LATER + 2 * SECOND)
        assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_an_edit_that_leaves_the_peer_leaves_the_rechecks() -> None:
    world = Confirming()
    world.tell(told(scans=2))
    world.host(version=2, interval=Interval.H24, tags=("prod",), at=LATER + SECOND)
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 2


def test_a_transition_of_a_version_not_yet_read_waits_for_it() -> None:
    """The alerter has read the edit before us: a scan now would look at whom the host used to be."""
    world = Confirming()
    world.tell(told(scans=1, version=2))
    assert world.rechecks(until=LATER + 5 * MINUTE) == []
    world.answer(world.host(version=2, port=8443, interval=Interval.H24, at=LATER + 6 * MINUTE)[0])
    ((_, asked),) = world.rechecks(until=LATER + 10 * MINUTE)
    assert (asked.target.port, asked.target.host_version) == (8443, 2)


def test_a_transition_of_a_former_peer_is_of_no_use() -> None:
    world = Confirming()
    world.answer(world.host(version=2, port=8443, interval=Interval.H24, at=LATER)[0])
    world.tell(told(scans=1, version=1, at=LATER + SECOND))
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_a_transition_of_an_older_version_of_the_same_peer_counts() -> None:
    world = Confirming()
    world.host(version=2, tags=("prod",), interval=Interval.H24, at=LATER)
    world.tell(told(scans=1, version=1, at=LATER + SECOND))
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 1


def test_an_alert_of_before_a_pause_is_not_looked_at_after_it() -> None:
    world = Confirming()
    world.host(version=2, status=HostStatus.PAUSED, interval=Interval.H24, at=LATER)
    world.tell(told(scans=2, version=1, at=LATER + SECOND))
    resumed = world.host(version=3, interval=Interval.H24, at=LATER + MINUTE)
    world.answer(resumed[0])
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_rechecks_do_not_go_on_after_a_pause() -> None:
    world = Confirming()
    world.tell(told(scans=2))
    world.host(version=2, status=HostStatus.PAUSED, interval=Interval.H24, at=LATER + SECOND)
    world.answer(world.host(version=3, interval=Interval.H24, at=LATER + MINUTE)[0])
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_an_alert_of_after_a_resume_not_yet_read_is_looked_at() -> None:
    world = Confirming()
    world.host(version=2, status=HostStatus.PAUSED, interval=Interval.H24, at=LATER)
    world.tell(told(scans=1, version=3, at=LATER + SECOND))
    world.answer(world.host(version=3, interval=Interval.H24, at=LATER + MINUTE)[0])
    assert len(world.rechecks(until=LATER + 10 * MINUTE)) == 1


def test_an_older_word_of_one_alert_than_of_another_begins_nothing() -> None:
    """What was said twice comes back as a whole: the first of it is no news."""
    world = Confirming()
    world.tell(told(TransitionKind.OPENED, n=2, at=LATER + MINUTE))
    assert world.tell(told(scans=2), at=LATER + 2 * MINUTE) == []
    assert world.rechecks(until=LATER + 10 * MINUTE) == []


def test_a_transition_of_a_host_that_is_gone_makes_no_row() -> None:
    world = World()
    assert world.hear("alerts", told(scans=2)) == []
    assert world.row is None


def test_a_transition_of_another_workspace_is_refused() -> None:
    world = Confirming()
    world.tell(told(scans=2).model_copy(update={"workspace_id": ids.new_id()}))
    assert world.decision.refused == "workspace-changed"
