"""Why an alert is there: the host, the clock, a rule, or those who judge."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.fakes.inputs import NOON, OTHER_LEAF, RULE, rule
from tests.unit.services.alerter.world import DAY, FAR, SECOND, World, only, only_closed
from vigilo.events.alerts import AlertTransition, CloseReason, TransitionKind
from vigilo.events.cards import Grade, PathCertificate, TrustReason, Verdict
from vigilo.events.hosts import HostSnooze
from vigilo.events.triggers import ChainValidationFails, GradeBelow, NameMismatch

CHAIN = ChainValidationFails()
OTHER_PATH = (PathCertificate(fingerprint_sha256=OTHER_LEAF, subject="CN=a", issuer="CN=b", not_after=FAR),)


def judged_by(world: World, rulebook: str, **seen: Any) -> list[AlertTransition]:
    """The next second's card."""
    return world.card(at=world.at + SECOND, **{"not_after": FAR, "rulebook": rulebook, **seen})


def graded(**changes: Any) -> World:
    """A host that got an A from the old rulebook."""
    world = World(rule(**{"trigger": GradeBelow(grade=Grade.B), **changes}))
    world.host()
    judged_by(world, "old", grade=Grade.A)
    return world


def test_what_only_a_new_rulebook_turned_says_so_from_pending_to_opened() -> None:
    world = graded(open_after=2)
    assert only(judged_by(world, "new", grade=Grade.C), TransitionKind.PENDING).cause == "rulebook"
    assert only(judged_by(world, "new", grade=Grade.C), TransitionKind.OPENED).cause == "rulebook"
    assert only_closed(judged_by(world, "new", grade=Grade.A), CloseReason.CLEARED).cause == "scan"


def test_a_new_trust_store_is_a_cause_like_a_rulebook_and_closes_like_one() -> None:
    world = World(rule(trigger=CHAIN))
    world.host()
    judged_by(world, "one", trust_store="old")
    assert judged_by(world, "one", trust_store="new", chain_valid=Verdict.NO)[0].cause == "rulebook"
    assert only_closed(judged_by(world, "one", trust_store="newer"), CloseReason.CLEARED).cause == "rulebook"


def test_an_outage_in_between_hides_no_new_rulebook() -> None:
    world = graded()
    assert judged_by(world, "new", not_after=None) == []
    assert only(judged_by(world, "new", grade=Grade.C), TransitionKind.OPENED).cause == "rulebook"


def test_a_snooze_in_between_keeps_the_cause() -> None:
    world = graded()
    world.host(version=2, snooze=HostSnooze(since=NOON, until=NOON + DAY))
    assert only(judged_by(world, "new", grade=Grade.C), TransitionKind.SUPPRESSED).cause == "rulebook"
    assert only(world.wake(), TransitionKind.OPENED).cause == "rulebook"


def test_the_host_is_the_cause_where_it_changed_or_time_went_by() -> None:
    for seen in (
        {"path": OTHER_PATH, "grade": Grade.C},
        {"chain_valid": Verdict.NO, "chain_reason": TrustReason.EXPIRED, "grade": Grade.F},
    ):
        assert only(judged_by(graded(), "new", **seen), TransitionKind.OPENED).cause == "scan"
    same = graded()
    assert only(judged_by(same, "old", grade=Grade.C), TransitionKind.OPENED).cause == "scan"


def test_what_was_seen_is_no_matter_of_rulebooks() -> None:
    other = UUID(int=RULE.int + 1)
    world = World(rule(trigger=CHAIN), rule(rule_id=other, trigger=NameMismatch()))
    world.host()
    judged_by(world, "old", name_matches=Verdict.YES)
    sent = judged_by(world, "new", name_matches=Verdict.NO, chain_valid=Verdict.NO)
    assert {one.rule.trigger.kind: one.cause for one in sent} == {
        "chain-validation-fails": "rulebook",
        "name-mismatch": "scan",
    }


def test_a_first_card_is_nobodys_change_of_mind() -> None:
    world = World(rule(trigger=CHAIN))
    world.host()
    assert only(judged_by(world, "new", chain_valid=Verdict.NO), TransitionKind.OPENED).cause == "scan"
