"""Mail servers are never enumerated in one go by the clock, and are done all the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from services.scheduler.pacing import MEASURED_AGAIN_AFTER, PACES
from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.world import MINUTE, World, only_request
from vigilo.events.hosts import Interval, Probing, Protocol
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested
from vigilo.events.transcript import Transcript
from vigilo.tls.starttls.mail import MailService

HOUR = timedelta(hours=1)


def transcript(count: int = 1, *, at: datetime = NOON) -> Transcript:
    answers = {f"{number:012x}": "r 28 -" for number in range(count)}
    return Transcript(begun_at=at, address="192.0.2.1", like="-", answers=answers)


def requests(world: World, *, until: datetime, protocol: Protocol, questions: int) -> list[ScanRequested]:
    """All that the clock asks for; each scan is answered at once, the posture is whole after so many answers."""
    asked, answered, sent = list[ScanRequested](), 0, list(world.sent)
    while sent or (world.decision.next_at is not None and world.decision.next_at <= until):
        one = sent.pop(0) if sent else None
        if one is None:
            sent = list(world.wake())
            continue
        assert isinstance(one, ScanRequested)
        asked.append(one)
        answered += one.probes_max or 0
        if one.probes_max is not None and answered >= questions:
            sent += world.answer(one, protocol=protocol)
        else:
            going_on = transcript(answered) if one.probes_max is not None else None
            sent += world.answer_lightly(one, protocol=protocol, transcript=going_on)
    return asked


def mail_host(port: int = 25, protocol: Protocol = Protocol.SMTP, **changes: Any) -> World:
    """After its first, light scan."""
    world = World()
    world.answer_lightly(world.host(port=port, **changes)[0], protocol=protocol)
    return world


@pytest.mark.parametrize(("port", "protocol"), [(25, Protocol.SMTP), (465, Protocol.TLS), (2525, Protocol.SMTP)])
def test_after_the_first_scan_a_few_questions_follow_on_the_slow_lane(port: int, protocol: Protocol) -> None:
    world = mail_host(port, protocol, interval=Interval.H24)
    paced = only_request(world.wake())
    assert world.at - NOON <= timedelta(minutes=72)
    assert (paced.reason, paced.lane, paced.depth) == (ScanReason.PACED, Lane.SLOW, Depth.FULL)
    assert paced.probes_max == 3


@pytest.mark.parametrize("interval", list(Interval))
@pytest.mark.parametrize(
    ("port", "protocol", "hours"), [(25, Protocol.SMTP, 28), (993, Protocol.TLS, 54), (110, Protocol.POP3, 54)]
)
def test_no_slot_is_deep_and_the_posture_is_whole_in_time(
    port: int, protocol: Protocol, hours: int, interval: Interval
) -> None:
    world = mail_host(port, protocol, interval=interval)
    asked = requests(world, until=NOON + timedelta(hours=hours), protocol=protocol, questions=128)
    assert all(one.depth is Depth.LIGHT for one in asked if one.reason is ScanReason.SLOT)
    assert all(one.probes_max is not None for one in asked if one.depth is not Depth.LIGHT)
    assert world.known is not None
    assert world.known.baseline is not None
    assert world.known.baseline.posture is not None
    assert world.known.baseline.transcript is None


def test_answers_so_far_travel_with_the_next_questions_and_with_nothing_else() -> None:
    world = mail_host(interval=Interval.H1)
    paced = next_paced(world)
    world.answer_lightly(paced, protocol=Protocol.SMTP, transcript=transcript())
    for one in requests(world, until=NOON + 3 * HOUR, protocol=Protocol.SMTP, questions=999):
        assert one.baseline is not None
        assert (one.baseline.transcript is not None) is (one.probes_max is not None)


def test_a_scan_that_failed_loses_no_answers() -> None:
    world = mail_host()
    paced = next_paced(world)
    world.answer_lightly(paced, protocol=Protocol.SMTP, transcript=transcript())
    again = next_paced(world)
    world.answer_lightly(again, outcome=Outcome.TLS_TIMEOUT, chain=())
    assert world.known is not None
    assert world.known.baseline is not None
    assert world.known.baseline.transcript == transcript()


def next_paced(world: World) -> ScanRequested:
    """The next request with questions; everything else is answered lightly."""
    while True:
        for one in world.wake():
            assert isinstance(one, ScanRequested)
            if one.probes_max is not None:
                return one
            world.answer_lightly(one, protocol=Protocol.SMTP)


def test_a_whole_posture_is_measured_again_after_three_days() -> None:
    world = mail_host()
    paced = next_paced(world)
    world.answer(paced, protocol=Protocol.SMTP)
    before = requests(world, until=NOON + MEASURED_AGAIN_AFTER - HOUR, protocol=Protocol.SMTP, questions=999)
    assert {one.depth for one in before} == {Depth.LIGHT}
    after = requests(world, until=NOON + MEASURED_AGAIN_AFTER + 2 * HOUR, protocol=Protocol.SMTP, questions=999)
    assert Depth.FULL in {one.depth for one in after}


def test_scan_now_is_whole_and_at_once() -> None:
    world = mail_host()
    paced = next_paced(world)
    world.answer_lightly(paced, protocol=Protocol.SMTP, transcript=transcript())
    wanted = only_request(world.command(at=world.at + MINUTE))
    assert (wanted.depth, wanted.probes_max, wanted.lane) == (Depth.FULL, None, Lane.NOW)


def test_a_person_does_not_get_less_because_a_few_questions_are_under_way() -> None:
    world = mail_host()
    paced = next_paced(world)
    light = only_request(world.command(at=world.at + MINUTE))
    assert light.depth is Depth.LIGHT
    whole = world.answer_lightly(paced, protocol=Protocol.SMTP, transcript=transcript(), at=world.at + MINUTE)
    assert [(one.depth, one.probes_max) for one in whole if isinstance(one, ScanRequested)] == [(Depth.FULL, None)]


def test_an_owner_who_allows_handshakes_only_is_not_asked_anything() -> None:
    world = mail_host(probing=Probing.HANDSHAKE_ONLY)
    assert requests_deeper(world) == []


def requests_deeper(world: World) -> list[ScanRequested]:
    asked = requests(world, until=NOON + 25 * HOUR, protocol=Protocol.SMTP, questions=999)
    return [one for one in asked if one.depth is not Depth.LIGHT]


def test_a_server_that_turned_us_away_is_left_alone_for_a_day() -> None:
    world = mail_host()
    paced = next_paced(world)
    world.answer_lightly(paced, protocol=Protocol.SMTP, transcript=transcript(), throttled=True)
    assert all(one.requested_at >= NOON + 24 * HOUR for one in requests_deeper(world))


def test_a_posture_in_doubt_is_measured_at_the_next_turn() -> None:
    world = mail_host()
    world.answer(next_paced(world), protocol=Protocol.SMTP)
    slot = only_request(world.wake())
    sent = world.answer_lightly(
        slot, protocol=Protocol.SMTP, tls_version="TLSv1.1", cipher_suite="TLS_RSA_WITH_NULL_MD5"
    )
    assert sent == []
    assert next_paced(world).requested_at - slot.requested_at <= 72 * MINUTE


@pytest.mark.parametrize("service", list(MailService))
def test_no_two_ports_of_one_name_have_their_turn_within_a_watchdogs_window(service: MailService) -> None:
    pace = PACES[service]
    turns = []
    for port in pace.ports:
        host, at = inputs.host(port=port, hostname="mail.example"), NOON
        for _ in range(50):
            at = pace.turn_after(at, host)
            turns.append(at)
    turns.sort()
    assert all(later - earlier >= 12 * MINUTE for earlier, later in pairwise(turns))
    assert turns[-1] - turns[0] <= 12 * MINUTE * (len(turns) + 2 * len(pace.ports))


def test_a_turn_that_was_missed_is_not_made_up_for_at_any_time() -> None:
    world = mail_host(interval=Interval.H24)
    due = world.decision.next_at
    assert due is not None
    assert world.wake(at=due + 5 * MINUTE) == []
    assert world.decision.next_at is not None
    assert world.decision.next_at >= due + 12 * MINUTE
