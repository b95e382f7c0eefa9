"""Whatever order scans, rollouts, edits, failures and repetitions come in, changes are those of a simple model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.grader.rollouts import CONFIRMATIONS
from tests.fakes.snapshots import failed, served_by, snapshot
from tests.unit.services.grader.hosts import AUTHORITY, NOW, Host
from vigilo.events.cards import ChangeKind
from vigilo.events.scans import Outcome, Snapshot

LEAVES = tuple(AUTHORITY.leaf("api.acme.test", f"{name}.test") for name in ("first", "second", "third"))
SHA256 = tuple(served_by("192.0.2.1", leaf).leaf_sha256 or "" for leaf in LEAVES)
ADDRESSES = 3
REMEMBERED = 10  # scans that may be repeated; the grader remembers some more


@dataclass
class Model:
    """The host as the specification tells of it. Leaves are numbers."""

    peer: str | None = None
    version: int = 0
    newest: int = 0
    leaf: int | None = None
    before: int | None = None
    returning: int = 0
    changes: tuple[tuple[int, int], ...] = ()

    def sees(self, given: Snapshot, leaves: tuple[int, ...], number: int) -> None:
        """One scan; `leaves` are those that answered, none for a failure."""
        peer, version = given.target.hostname, given.target.host_version
        if number < self.newest or (version < self.version and peer != self.peer):
            return
        if peer != self.peer:
            self.leaf, self.before, self.returning = None, None, 0
        self.newest, self.peer, self.version = number, peer, max(version, self.version)
        if leaves:
            self._hears(leaves)

    def _hears(self, leaves: tuple[int, ...]) -> None:
        if self.leaf is None:
            self.leaf = leaves[0]
            return
        agreed = len(set(leaves)) == 1 and leaves[0] != self.leaf
        self.returning = self.returning + 1 if agreed and leaves[0] == self.before else 0
        if agreed and (leaves[0] != self.before or self.returning == CONFIRMATIONS):
            self.changes = (*self.changes, (self.leaf, leaves[0]))
            self.leaf, self.before, self.returning = leaves[0], self.leaf, 0


class Changes(RuleBasedStateMachine):
    """A host of three addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.host = Host()
        self.model = Model()
        self.serving = [0] * ADDRESSES
        self.version = 1
        self.hostname = "one.acme.test"
        self.former = (1, "one.acme.test")
        self.number = 0
        self.under_way: list[tuple[Snapshot, tuple[int, ...], int]] = []
        self.done: list[Snapshot] = []

    @rule(address=st.integers(0, ADDRESSES - 1), leaf=st.integers(0, len(LEAVES) - 1))
    def an_address_gets_a_certificate(self, address: int, leaf: int) -> None:
        self.serving[address] = leaf

    @rule(leaf=st.integers(0, len(LEAVES) - 1))
    def all_addresses_get_a_certificate(self, leaf: int) -> None:
        self.serving = [leaf] * ADDRESSES

    @rule(hostname=st.sampled_from(["one.acme.test", "two.acme.test"]))
    def somebody_edits_the_host(self, hostname: str) -> None:
        self.former = (self.version, self.hostname)
        self.version += 1
        self.hostname = hostname

    @rule(times=st.integers(1, CONFIRMATIONS + 1))
    def scans_are_done_in_order(self, times: int) -> None:
        for _ in range(times):
            self._ask(tuple(self.serving))
            self._deliver(len(self.under_way) - 1)

    @rule()
    def a_scan_fails(self) -> None:
        self._ask(())
        self._deliver(len(self.under_way) - 1)

    @rule()
    def a_scan_takes_its_time(self) -> None:
        self._ask(tuple(self.serving))

    @rule()
    def a_scan_is_asked_for_before_the_edit_is_heard_of(self) -> None:
        self._ask(tuple(self.serving), record=self.former)
        self._deliver(len(self.under_way) - 1)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_slow_scan_comes_in(self, data: st.DataObject) -> None:
        self._deliver(data.draw(st.integers(0, len(self.under_way) - 1)))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def a_scan_comes_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.done[-REMEMBERED:]))
        assert self.host.sees(again).outputs == ()

    def _ask(self, leaves: tuple[int, ...], *, record: tuple[int, str] | None = None) -> None:
        self.number += 1
        at = NOW + timedelta(minutes=self.number)
        if leaves:
            addresses = tuple(served_by(f"192.0.2.{n}", LEAVES[leaf]) for n, leaf in enumerate(leaves, start=1))
            given = snapshot(LEAVES[leaves[0]].chain_der, at=at, number=self.number, addresses=addresses)
        else:
            given = failed(Outcome.REFUSED, at=at, number=self.number)
        version, hostname = record or (self.version, self.hostname)
        target = given.target.model_copy(update={"hostname": hostname, "host_version": version})
        self.under_way.append((given.model_copy(update={"target": target}), leaves, self.number))

    def _deliver(self, place: int) -> None:
        given, leaves, number = self.under_way.pop(place)
        self.host.sees(given)
        self.model.sees(given, leaves, number)
        self.done.append(given)

    @invariant()
    def changes_are_the_models(self) -> None:
        told = [(one.old.fingerprint_sha256, one.new.fingerprint_sha256) for one in self.host.changes]
        assert told == [(SHA256[old], SHA256[new]) for old, new in self.model.changes]
        assert all(one.kind is ChangeKind.LEAF for one in self.host.changes)

    @invariant()
    def every_scan_has_one_card(self) -> None:
        assert len(self.host.cards) == len(self.done)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
