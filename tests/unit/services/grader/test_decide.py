"""The grader: one card per snapshot, changes of the certificate, nothing twice."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.grader.state import SEEN_SCANS, Chains, StoredChain
from tests.fakes.pki import Options
from tests.fakes.snapshots import failed, served_by
from tests.unit.services.grader.hosts import AUTHORITY, NEW, NOW, OLD, Host, scan
from vigilo.events.cards import Verdict
from vigilo.events.scans import Outcome


def test_every_snapshot_gets_a_card_and_the_chain_is_kept() -> None:
    host = Host()
    decision = host.sees(scan(OLD, 1))
    assert [out.topic for out in decision.outputs] == ["report-cards"]
    assert host.chains.chains[0].bytes_() == OLD.chain_der
    assert host.cards[0].chain_valid is Verdict.YES


def test_a_scan_id_seen_before_decides_nothing() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    again = host.sees(scan(NEW, 1))
    assert again.outputs == ()
    assert len(host.cards) == 1


def test_an_unchanged_chain_is_judged_by_the_bytes_seen_before() -> None:
    host = Host()
    first = scan(OLD, 1)
    host.sees(first)
    decision = host.sees(scan(OLD, 2, baseline=first.chain_sha256))
    assert host.cards[1].chain_valid is Verdict.YES
    assert decision.side == {}


def test_a_chain_of_an_older_baseline_is_still_known() -> None:
    host = Host()
    first = scan(OLD, 1)
    host.sees(first)
    host.sees(scan(NEW, 2))
    host.sees(scan(OLD, 3, baseline=first.chain_sha256))
    assert host.cards[2].chain_valid is Verdict.YES


def test_a_late_snapshot_gets_its_card_and_changes_nothing_else() -> None:
    host = Host()
    host.sees(scan(OLD, 5))
    before = host.state
    host.sees(scan(NEW, 4))
    assert [card.late for card in host.cards] == [False, True]
    assert host.changes == []
    assert before is not None
    assert host.state is not None
    assert (host.state.order, host.state.leaf) == (before.order, before.leaf)


def test_a_replaced_certificate_is_a_change_with_facts() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(scan(NEW, 2))
    (change,) = host.changes
    assert (change.names_added, change.names_lost) == (("new.acme.test",), ("old.acme.test",))
    assert (change.key_reused, change.issuer_changed) == (False, False)
    assert change.days_left_of_old is not None
    assert 89 < change.days_left_of_old < 90


def test_a_renewal_with_the_same_key_is_told() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(scan(AUTHORITY.leaf("api.acme.test", options=Options(key=OLD.key)), 2))
    assert host.changes[0].key_reused is True


def test_a_first_certificate_is_no_change() -> None:
    host = Host()
    host.sees(failed(Outcome.REFUSED, at=NOW, number=1))
    host.sees(scan(OLD, 2))
    assert host.changes == []


def test_a_change_is_seen_across_failed_scans() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(failed(Outcome.REFUSED, at=NOW + timedelta(minutes=2), number=2))
    host.sees(scan(NEW, 3))
    assert len(host.changes) == 1


def test_addresses_that_still_differ_are_a_rollout_and_no_change() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    host.sees(scan(NEW, 2, addresses=(served_by("127.0.0.1", NEW), served_by("127.0.0.2", OLD))))
    assert host.changes == []
    host.sees(scan(NEW, 3, addresses=(served_by("127.0.0.1", NEW), served_by("127.0.0.2", NEW))))
    (change,) = host.changes
    assert (change.names_added, change.names_lost) == (("new.acme.test",), ("old.acme.test",))


def test_a_snapshot_of_another_workspace_is_refused() -> None:
    host = Host()
    host.sees(scan(OLD, 1))
    given = scan(OLD, 2)
    foreign = given.model_copy(update={"target": given.target.model_copy(update={"workspace_id": UUID(int=1)})})
    assert host.sees(foreign).refused == "workspace-changed"


def test_the_same_inputs_give_the_same_outputs() -> None:
    first, second = Host(), Host()
    for number, leaf in enumerate((OLD, NEW, OLD), start=1):
        given = scan(leaf, number)
        assert first.sees(given).outputs == second.sees(given).outputs


def test_the_guard_row_stays_small() -> None:
    host = Host()
    for number in range(SEEN_SCANS + 5):
        host.sees(scan(OLD, number))
    assert host.state is not None
    assert len(host.state.seen) == SEEN_SCANS
    assert len(host.state.model_dump_json()) < 1_600


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=8))
def test_stored_chains_never_outgrow_a_row(sizes: list[int]) -> None:
    chains = Chains()
    for number, size in enumerate(sizes):
        chains = chains.with_chain(StoredChain(fingerprints=(str(number),), der=("A" * size,)))
    assert chains.chains[0].fingerprints == (str(len(sizes) - 1),)
    assert len(chains.model_dump_json()) < 512 * 1024
