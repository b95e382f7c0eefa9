"""Scheduler, scanner and grader around one scripted server, as the pure functions they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from services.grader.decide import CHAINS, decide_snapshot
from services.grader.state import Chains, Grades
from services.scanner.probing import Timing, describe, enumerates
from services.scanner.sightings import AddressSeen, HandshakeSeen, HostSeen, PostureSeen
from services.scheduler.decide import Scheduler
from services.scheduler.state import KnownHost, Schedule
from tests.fakes import inputs
from tests.fakes.inputs import HOST, NOON, posture
from tests.fakes.pki import Authority
from vigilo.events.cards import Grade, ReportCard
from vigilo.events.envelope import Event
from vigilo.events.hosts import Host, Protocol
from vigilo.events.posture import Posture, Support
from vigilo.events.records import SchedulerWakeup
from vigilo.events.scans import Depth, Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

AUTHORITY = Authority.create("Postures")


JUDGE = TrustJudge(TrustStores(public=AnchorSet("test", (AUTHORITY.root.certificate,))))


TODAY = datetime.now(UTC)  # certificates are made for it


CHAIN = AUTHORITY.leaf("shop.example").chain_der


# What only an enumeration finds: TLS 1.0 beside 1.3.
WEAK = posture(accepted=("TLSv1.0", "TLSv1.2", "TLSv1.3"))


MUTE = posture(accepted=())


class Mood(StrEnum):
    """How the server takes our questions."""

    FINE = "fine"
    THROTTLING = "throttling"
    MUTE = "mute"
    DOWN = "down"


@dataclass
class Server:
    """Speaks TLS 1.3 with us, and TLS 1.0 with who asks for it."""

    mood: Mood = Mood.FINE
    version: str = "TLSv1.3"
    suite: str = "TLS_AES_128_GCM_SHA256"

    def perform(self, request: ScanRequested, at: datetime) -> Snapshot:
        """One scan by the scanner's own pure half."""
        seen = self._seen()
        deeper = self._deeper(request) if enumerates_at_all(request, seen) else PostureSeen()
        timing = Timing(at, at + timedelta(seconds=1), 1000)
        return describe(request, HostSeen((seen,)), timing, scanner="scripted", deeper=deeper)

    def _seen(self) -> AddressSeen:
        address = ip_address("192.0.2.1")
        if self.mood is Mood.DOWN:
            return AddressSeen(address, Outcome.REFUSED, "refused")
        handshake = HandshakeSeen(self.version, self.suite, "X25519MLKEM768", chain=CHAIN)
        return AddressSeen(address, Outcome.OK, handshake=handshake, protocol=Protocol.TLS)

    def _deeper(self, request: ScanRequested) -> PostureSeen:
        known = request.baseline.posture if request.baseline is not None else None
        if self.mood is Mood.THROTTLING:
            return PostureSeen((half(WEAK),), request.depth, throttled=True)
        if self.mood is Mood.MUTE:
            return PostureSeen((MUTE,), Depth.FULL)
        if request.depth is Depth.POSTURE and known == WEAK:
            return PostureSeen((WEAK,), Depth.POSTURE)
        return PostureSeen((WEAK,), Depth.FULL)


def enumerates_at_all(request: ScanRequested, seen: AddressSeen) -> bool:
    """What the scanner asks before any deeper look; a check is allowed where an enumeration is."""
    deep = request.model_copy(update={"depth": Depth.FULL})
    return request.depth is not Depth.LIGHT and enumerates(deep, seen)


def half(whole: Posture) -> Posture:
    """As a throttled enumeration finds it: TLS 1.3 alone, nothing rejected for certain."""
    versions = tuple(
        one if one.version == "TLSv1.3" else one.model_copy(update={"support": Support.UNKNOWN, "complete": False})
        for one in whole.versions
    )
    return whole.model_copy(update={"versions": versions, "throttled": True})


@dataclass
class House:
    """The services' rows for one host, and all they said. Requests lie in `asked` until somebody performs them."""

    server: Server = field(default_factory=Server)
    scheduler: Scheduler = field(default_factory=Scheduler)
    at: datetime = NOON
    record: Host = field(default_factory=lambda: inputs.host(version=1))
    row: Schedule | None = None
    known: KnownHost | None = None
    grades: Grades | None = None
    chains: Chains = field(default_factory=Chains)
    next_at: datetime | None = None
    asked: list[ScanRequested] = field(default_factory=list)
    requests: list[ScanRequested] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    cards: list[ReportCard] = field(default_factory=list)

    def hear(self, topic: str, event: Event) -> None:
        """The scheduler decides; it is asked twice, for a decision must not depend on anything but its arguments."""
        side = {"hosts": self.known} if self.known else {}
        given = inputs.given(topic, event)
        decision = self.scheduler.decide(self.row, side, given, at=self.at)
        assert decision == self.scheduler.decide(self.row, side, given, at=self.at)
        self.row, self.next_at = decision.state, decision.next_at
        assert self.next_at is None or self.next_at > self.at, "something due was left undone"
        known = decision.side.get("hosts", self.known)
        assert known is None or isinstance(known, KnownHost)
        self.known = known
        said = [outgoing.event for outgoing in decision.outputs]
        fresh = [one for one in said if isinstance(one, ScanRequested)]
        self.asked += fresh
        self.requests += fresh
        for one in fresh:
            self.check_depth(one)
        for own in said:
            if isinstance(own, Snapshot):
                self.publish(own)

    def check_depth(self, asked: ScanRequested) -> None:
        assert self.row is not None
        by_id = {one.scan_id: one.depth for one in self.requests}
        deep = [one for one in self.row.outstanding if by_id[one.scan_id] is not Depth.LIGHT]
        assert len(deep) <= 1, "two deep scans are under way"
        assert [one.scan_id for one in self.requests].count(asked.scan_id) == 1, "a scan was asked for twice"
        if asked.depth is not Depth.LIGHT:
            assert asked.reason in {ScanReason.BASELINE, ScanReason.COMMAND, ScanReason.SLOT}

    def publish(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)
        self.hear("snapshots", snapshot)
        decision = decide_snapshot(self.grades, self.chains, snapshot, judge=JUDGE, at=TODAY)
        self.grades = decision.state
        chains = decision.side.get(CHAINS, self.chains)
        assert isinstance(chains, Chains)
        self.chains = chains
        self.cards += [one.event for one in decision.outputs if isinstance(one.event, ReportCard)]

    def edit(self, **changes: Any) -> None:
        version = self.record.version + (self.row is not None)
        self.record = self.record.model_copy(update={**changes, "version": version, "updated_at": self.at})
        self.hear("hosts", self.record)

    def perform(self, request: ScanRequested) -> None:
        self.publish(self.server.perform(request, self.at))

    def perform_all(self) -> None:
        while self.asked:
            self.at += timedelta(seconds=1)
            self.perform(self.asked.pop(0))

    def wake(self) -> None:
        assert self.next_at is not None
        self.at = max(self.at, self.next_at)
        self.hear("scheduler-wakeups", SchedulerWakeup(host_id=HOST, due=self.next_at))

    def letters(self) -> list[Grade]:
        """Those of cards that have one and are news, each change once."""
        told = [card.grade for card in self.cards if card.grade is not None and not card.late]
        return [one for number, one in enumerate(told) if number == 0 or told[number - 1] is not one]


def watched(**changes: Any) -> House:
    house = House()
    house.edit(**changes)
    house.perform_all()
    return house
