"""How rechecks are asked for: again, later, on which lane, how deep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes import inputs
from tests.fakes.inputs import NOON
from tests.unit.services.scheduler.confirming import HALF, LATER, Confirming, told
from tests.unit.services.scheduler.world import MINUTE, SECOND, only_not_performed, only_request
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind
from vigilo.events.hosts import Probing, Protocol
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested
from vigilo.events.triggers import ChainValidationFails, GradeBelow, ProtocolBelow, Trigger, Unreachable


def test_a_recheck_nobody_performed_is_asked_for_again_under_a_new_id() -> None:
    world = Confirming()
    world.tell(told(scans=1))
    asked = only_request(world.wake())
    only_not_performed(world.wake(at=asked.not_after + 90 * SECOND))
    ended_at = world.at
    again = only_request(world.wake())
    assert world.at == ended_at + 5 * MINUTE
    assert (again.reason, again.scan_id != asked.scan_id) == (ScanReason.RECHECK, True)


def test_a_recheck_that_the_scanner_would_not_perform_is_asked_for_again_later() -> None:
    """A scanner that minds its manners says so (ADR 0016)."""
    world = Confirming()
    world.tell(told(scans=1))
    asked = only_request(world.wake())
    world.answer_lightly(asked, at=LATER + 31 * SECOND, outcome=Outcome.NOT_PERFORMED, chain=())
    assert world.decision.next_at == LATER + 31 * SECOND + 5 * MINUTE
    assert only_request(world.wake()).reason is ScanReason.RECHECK


def test_after_the_alert_has_ended_a_lost_recheck_is_made_up_for_like_any_scan() -> None:
    world = Confirming()
    world.tell(told(scans=1))
    asked = only_request(world.wake())
    world.tell(told(TransitionKind.CLOSED, n=2, at=LATER + MINUTE))
    world.wake(at=asked.not_after + 90 * SECOND)
    assert only_request(world.wake()).reason is ScanReason.RETRY


def test_rechecks_wait_while_the_pool_is_in_doubt() -> None:
    world = Confirming()
    world.tell(told(scans=1))
    asked = only_request(world.wake())
    world.answer_lightly(asked, at=LATER + 31 * SECOND, outcome=Outcome.REFUSED, chain=(), pool_suspect=True)
    for minute in (1, 4):
        assert world.wake(at=LATER + 31 * SECOND + minute * MINUTE) == [], "the pool is in doubt"
    well = inputs.snapshot(scan_id=ids.new_id(), target=inputs.host().target(), requested_at=NOON)
    world.hear("snapshots", well, at=world.at + SECOND)
    again = only_request(world.wake())
    assert (again.reason, again.scan_id != asked.scan_id) == (ScanReason.RECHECK, True)
    world.answer_lightly(again)
    assert world.rechecks(until=world.at + 10 * MINUTE) == [], "the one in doubt was made up for, once"


def test_a_recheck_that_is_not_back_yet_is_waited_for() -> None:
    world = Confirming()
    world.tell(told(scans=2))
    asked = only_request(world.wake())
    assert world.wake(at=LATER + 2 * HALF) == []
    (second,) = world.answer_lightly(asked, at=LATER + 70 * SECOND)
    assert isinstance(second, ScanRequested)
    assert second.reason is ScanReason.RECHECK


def test_beyond_five_a_second_rechecks_take_the_slow_lane() -> None:
    world = Confirming()
    for _ in range(5):
        world.scheduler._traffic.recheck_lane("public", at=LATER + HALF)
    world.tell(told(scans=1))
    asked = only_request(world.wake())
    assert asked.lane is Lane.SLOW
    assert world.decision.outputs[0].topic == "scan-requested"
    assert asked.not_after == LATER + HALF + 15 * MINUTE


@pytest.mark.parametrize(
    ("trigger", "depth"),
    [
        (Unreachable(), Depth.LIGHT),
        (ChainValidationFails(), Depth.LIGHT),
        (GradeBelow(grade="B"), Depth.POSTURE),
        (ProtocolBelow(), Depth.POSTURE),
    ],
)
def test_a_recheck_looks_as_deep_as_the_question_needs(trigger: Trigger, depth: Depth) -> None:
    world = Confirming()
    world.tell(told(scans=1, trigger=trigger))
    assert only_request(world.wake()).depth is depth


def test_the_deepest_question_decides() -> None:
    world = Confirming()
    world.tell(told(scans=1, cause="a"))
    world.tell(told(scans=1, cause="b", trigger=GradeBelow(grade="B")))
    assert only_request(world.wake()).depth is Depth.POSTURE


@pytest.mark.parametrize("host", [{"probing": Probing.HANDSHAKE_ONLY}, {"port": 25, "protocol": Protocol.SMTP}])
def test_who_wants_handshakes_only_and_mail_servers_get_light_rechecks(host: dict[str, Any]) -> None:
    world = Confirming(**host)
    world.tell(told(scans=1, trigger=GradeBelow(grade="B")))
    assert only_request(world.wake()).depth is Depth.LIGHT


def test_a_mail_servers_questions_wait_for_its_rechecks() -> None:
    world = Confirming(port=25, protocol=Protocol.SMTP)
    world.tell(told(scans=2))
    reasons = list[ScanReason]()
    while (due := world.decision.next_at) is not None and due <= LATER + timedelta(days=4):
        for one in world.wake():
            if isinstance(one, ScanRequested):
                reasons.append(one.reason)
                world.answer_lightly(one, at=due + SECOND)
    assert reasons[:2] == [ScanReason.RECHECK, ScanReason.RECHECK]
    assert ScanReason.PACED in reasons[2:]
