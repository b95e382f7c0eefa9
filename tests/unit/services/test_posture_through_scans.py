"""Scheduler, scanner and grader, as the pure functions they are: the letter does not depend on how deep a scan looked.

The server is a script. Requests are performed in any order, late, twice or never; people and clock ask as they like.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.house import WEAK, House, Mood, watched
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.hosts import Interval, Trust
from vigilo.events.scans import Depth, ScanReason, Snapshot

AT_FIRST, AS_KNOWN = Grade.A_PLUS, Grade.C


def test_ten_days_of_slots_has_two_letters_the_first_of_one_light_scan() -> None:
    house = watched(interval=Interval.M15)
    while house.at < NOON + timedelta(days=10):
        house.wake()
        house.perform_all()
    assert {one.depth for one in house.snapshots} == set(Depth)
    assert house.letters() == [AT_FIRST, AS_KNOWN]
    assert [card.grade for card in house.cards].count(AT_FIRST) == 1
    assert 950 <= len(house.cards) <= 970
    depths = [one.depth for one in house.requests]
    assert 10 <= depths.count(Depth.FULL) <= 11
    assert 220 <= depths.count(Depth.POSTURE) <= 232


def test_a_server_that_gets_better_is_seen_to_by_the_next_light_scan() -> None:
    house = watched(interval=Interval.M5)
    house.server.version, house.server.suite = "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    house.at += timedelta(hours=1)  # so long after a full scan no other one is asked for
    house.wake()
    house.asked.pop()
    house.edit(trust=Trust.PRIVATE)
    light, full = house.asked[-1], None
    house.perform(light)
    full = house.asked[-1]
    assert (light.depth, full.depth, full.reason) == (Depth.LIGHT, Depth.FULL, ScanReason.BASELINE)


class PostureMachine(RuleBasedStateMachine):
    """Everything that can come between the first look and the next."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House()
        self.since_known = 0  # cards before a posture was believed, or of the peer before
        self.throttled_at: datetime | None = None
        self.asked_when_throttled = 0
        self.performed: list[Snapshot] = []

    @initialize(interval=st.sampled_from(Interval))
    def add(self, interval: Interval) -> None:
        self.house.edit(interval=interval)

    @rule(data=st.data())
    @precondition(lambda self: self.house.asked)
    def perform(self, data: st.DataObject) -> None:
        asked = data.draw(st.sampled_from(self.house.asked))
        self.house.asked.remove(asked)
        if self.house.at > asked.not_after:
            return  # as every scanner does
        self.house.at += timedelta(seconds=data.draw(st.integers(0, 40)))
        snapshot = self.house.server.perform(asked, self.house.at)
        self.performed.append(snapshot)
        mine = snapshot.target.peer == self.house.record.target().peer
        self.house.publish(snapshot)
        if snapshot.throttled and mine:
            self.throttled_at = self.house.at
            self.asked_when_throttled = len(self.house.requests)
        elif mine and snapshot.depth is Depth.FULL and snapshot.posture == WEAK:
            self.throttled_at = None

    @rule(data=st.data())
    @precondition(lambda self: self.performed)
    def hear_a_snapshot_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.performed))
        asked, cards = len(self.house.requests), len(self.house.cards)
        if self.house.next_at is None or self.house.next_at > self.house.at:
            self.house.publish(again)
            assert len(self.house.requests) == asked, "a repeated snapshot asked for a scan"
            assert len(self.house.cards) in {cards, cards + 1}  # the grader remembers the last 16 scans

    @rule()
    @precondition(lambda self: self.house.asked)
    def lose_a_request(self) -> None:
        self.house.asked.pop(0)

    @rule()
    @precondition(lambda self: self.house.next_at is not None)
    def wake(self) -> None:
        self.house.wake()

    @rule(minutes=st.integers(0, 600))
    def let_time_pass(self, minutes: int) -> None:
        self.house.at += timedelta(minutes=minutes)

    @rule()
    def ask_now(self) -> None:
        version = self.house.record.version
        self.house.hear("host-commands", inputs.scan_command(at=self.house.at, host_version=version))

    @rule(mood=st.sampled_from(Mood))
    def change_mood(self, mood: Mood) -> None:
        self.house.server.mood = mood

    @rule(tags=st.sampled_from([("a",), ("b",)]))
    def edit_tags(self, tags: tuple[str, ...]) -> None:
        self.house.edit(tags=tags)

    @rule()
    def move_to_another_port(self) -> None:
        self.throttled_at = None
        self.since_known = len(self.house.cards)
        self.house.edit(port=self.house.record.port + 1)

    @invariant()
    def a_known_posture_stays_known(self) -> None:
        house = self.house
        if house.known is None or house.known.baseline is None or house.known.baseline.posture is None:
            self.since_known = len(house.cards)
            return
        assert house.known.baseline.posture == WEAK
        peer = house.record.target().peer
        for snapshot, card in self.of_this_peer(peer):
            assert snapshot.posture == WEAK, f"{snapshot.depth} scan lost the posture"
            assert card.grade is AS_KNOWN

    def of_this_peer(self, peer: tuple[object, ...]) -> list[tuple[Snapshot, ReportCard]]:
        """The newest card since the posture is known, with its snapshot: asked for after it was."""
        known = self.house.known
        assert known is not None
        assert known.baseline is not None
        origin = known.baseline.posture_origin
        assert origin is not None
        by_id = {one.scan_id: one for one in self.house.snapshots}
        cards = self.house.cards[self.since_known :]
        news = [(by_id[card.scan_id], card) for card in cards if card.grade is not None and not card.late]
        return [one for one in news if one[0].target.peer == peer and one[0].requested_at > origin.measured_at]

    @invariant()
    def a_throttled_server_is_looked_at_lightly(self) -> None:
        if self.throttled_at is None or self.house.at >= self.throttled_at + timedelta(hours=24):
            return
        assert all(one.depth is Depth.LIGHT for one in self.house.requests[self.asked_when_throttled :])

    @invariant()
    def rows_stay_small(self) -> None:
        assert self.house.row is None or len(self.house.row.model_dump_json()) <= 1024


PostureMachine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestPostureMachine = PostureMachine.TestCase
