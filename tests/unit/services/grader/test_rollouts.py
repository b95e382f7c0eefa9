"""A certificate that reaches address after address is one change, and nothing before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grader.changes import Served, leaf_change
from services.grader.rollouts import CONFIRMATIONS, settle
from services.grader.state import Grades
from tests.fakes.pki import Authority, Issued
from tests.fakes.snapshots import WORKSPACE, failed, served_by, snapshot
from vigilo.events.scans import AddressResult, Outcome, Snapshot

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AUTHORITY = Authority.create("Rollouts")
LEAVES = {name: AUTHORITY.leaf(f"{name}.test") for name in ("old", "new", "next")}
OLD, NEW, NEXT = "old", "new", "next"
DEAD, SKIPPED = "dead", "skipped"
NOT_OK = {DEAD: Outcome.CONNECT_TIMEOUT, SKIPPED: Outcome.NOT_PERFORMED}


def scan(*addresses: str, number: int = 1) -> Snapshot:
    """What each address serves; the first that is well speaks for the host."""
    speaking: Issued | None = next((LEAVES[one] for one in addresses if one in LEAVES), None)
    results = tuple(_result(f"192.0.2.{last}", what) for last, what in enumerate(addresses, start=1))
    if speaking is None:
        return failed(Outcome.CONNECT_TIMEOUT, number=number).model_copy(update={"addresses": results})
    return snapshot(speaking.chain_der, at=NOW + timedelta(hours=number), number=number, addresses=results)


def _result(address: str, what: str) -> AddressResult:
    if what in LEAVES:
        return served_by(address, LEAVES[what])
    return AddressResult(address=address, outcome=NOT_OK[what])


def changes(scans: Sequence[Sequence[str]]) -> list[str]:
    """The leaf each change leads to."""
    names = {_sha256(leaf): name for name, leaf in LEAVES.items()}
    row, found = Grades(workspace_id=WORKSPACE), list[str]()
    for number, addresses in enumerate(scans, start=1):
        seen = scan(*addresses, number=number)
        standing = settle(row, seen)
        if standing.changed:
            assert row.leaf is not None
            change = leaf_change(seen, Served(row.leaf, None, None), None)
            found.append(names[change.new.fingerprint_sha256])
        row = row.model_copy(update={"leaf": standing.leaf, "rollout": standing.rollout, "replaced": standing.replaced})
    return found


def _sha256(leaf: Issued) -> str:
    fingerprint = served_by("192.0.2.1", leaf).leaf_sha256
    assert fingerprint is not None
    return fingerprint


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_rollout_is_one_change_when_all_serve_the_new_leaf(first: int) -> None:
    stages = [[OLD] * 3]
    for done in range(1, 4):
        turned = {(first + step) % 3 for step in range(done)}
        stages.append([NEW if place in turned else OLD for place in range(3)])
    assert changes(stages[:3]) == []
    assert changes(stages) == [NEW]
    assert changes([*stages, stages[-1], stages[-1]]) == [NEW]


def test_which_address_speaks_makes_no_change_while_they_differ() -> None:
    assert changes([[OLD, OLD], *([[OLD, NEW], [DEAD, NEW], [OLD, NEW], [OLD, DEAD]] * 10)]) == []


def test_an_address_that_stays_dead_does_not_hold_up_the_change_for_ever() -> None:
    begun = [[OLD, OLD], [OLD, NEW]]
    assert changes([*begun, *[[DEAD, NEW]] * (CONFIRMATIONS - 1)]) == []
    assert changes([*begun, *[[DEAD, NEW]] * CONFIRMATIONS]) == [NEW]


def test_a_host_with_a_dead_address_changes_at_once() -> None:
    assert changes([[OLD, DEAD], [NEW, DEAD]]) == [NEW]


def test_what_was_not_waited_for_may_be_different() -> None:
    assert changes([[OLD, OLD], [NEW, SKIPPED]]) == []
    assert changes([[OLD, OLD], [NEW, SKIPPED], [NEW, OLD], [OLD, OLD]]) == []
    assert changes([[OLD, OLD], [NEW, SKIPPED], [NEW, NEW]]) == [NEW]


def test_one_address_with_two_servers_behind_it_is_one_change() -> None:
    assert changes([[OLD], *[[NEW], [OLD]] * 10, [NEW]]) == [NEW]
    assert changes([[OLD], *[[NEW], [OLD], [OLD]] * 10]) == [NEW]


def test_a_rollback_is_a_change_once_it_is_sure() -> None:
    assert changes([[OLD], [NEW], *[[OLD]] * CONFIRMATIONS]) == [NEW, OLD]
    assert changes([[OLD], [NEW], [NEXT]]) == [NEW, NEXT]


def test_a_failed_scan_says_nothing_of_the_leaf() -> None:
    assert changes([[OLD, OLD], [OLD, NEW], [DEAD, DEAD], [NEW, NEW]]) == [NEW]


def test_a_host_first_seen_during_a_rollout_has_no_change_before_its_end() -> None:
    assert changes([[OLD, NEW], [OLD, NEW], [NEW, NEW]]) == [NEW]


@given(st.lists(st.tuples(*[st.sampled_from([OLD, NEW, DEAD, SKIPPED])] * 3), max_size=30))
def test_no_two_changes_follow_without_as_many_scans_as_make_sure(scans: list[tuple[str, ...]]) -> None:
    found = changes([[OLD] * 3, *scans])
    assert found == [NEW, OLD] * (len(found) // 2) + [NEW] * (len(found) % 2)
    assert len(found) <= 1 + len(scans) // CONFIRMATIONS


def test_a_certificate_replaced_before_it_was_valid_had_all_its_life_left() -> None:
    row = settle(Grades(workspace_id=WORKSPACE), scan(OLD))
    early = scan(NEW, number=2).model_copy(update={"requested_at": datetime(2020, 1, 1, tzinfo=UTC)})
    assert row.leaf is not None
    change = leaf_change(early, Served(row.leaf, None, None), None)
    assert change.share_left_of_old == 1.0
