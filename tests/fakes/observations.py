"""Random observations as the topics carry them, a function of the seed: late, repeated, contradictory, and poison."""

from __future__ import annotations

import base64
import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from vigilo.events import ids
from vigilo.events.alerts import AlertFacts, AlertHost, AlertRuleRef, AlertTransition, DecidedBy, TransitionKind
from vigilo.events.cards import CertificateChange, ChangeKind, Grade, PathCertificate, ReportCard, Unexpected, Verdict
from vigilo.events.codec import encode
from vigilo.events.deliveries import Delivery, DeliveryStatus
from vigilo.events.envelope import EncodedEvent, Event, OutgoingEvent, Record
from vigilo.events.facts import CertificateFacts
from vigilo.events.hosts import Target
from vigilo.events.partitioner import partition_for
from vigilo.events.records import WorkItem
from vigilo.events.rules import RecordStatus, Severity
from vigilo.events.scans import Depth, Outcome, ScanReason, Snapshot
from vigilo.events.triggers import ChainValidationFails

START = datetime(2025, 3, 20, tzinfo=UTC)
# Where the broker's clock stands while it appends all this.
APPENDED_AT = datetime(2025, 4, 25, tzinfo=UTC)
WORKSPACES = (UUID("0190b000-0000-7000-8000-000000000001"), UUID("0190b000-0000-7000-8000-000000000002"))


def derived(*parts: object) -> UUID:
    """An id that is the same in every run."""
    return UUID(bytes=hashlib.sha256(repr(parts).encode()).digest()[:16], version=4)


def host_of(number: int) -> UUID:
    """The id of the n-th host; even numbers belong to the first workspace."""
    return derived("host", number)


def target_of(number: int, *, workspace: UUID | None = None) -> Target:
    """The n-th host as a scan names it."""
    return Target(
        workspace_id=workspace or WORKSPACES[number % 2],
        host_id=host_of(number),
        host_version=1,
        hostname=f"h{number}.example",
        port=443,
    )


def der_of(number: int) -> bytes:
    """Bytes that stand for a certificate."""
    return b"0\x82" + random.Random(number).randbytes(600)


def certificate(number: int) -> CertificateFacts:
    """The facts of the n-th certificate."""
    return CertificateFacts(
        fingerprint_sha256=hashlib.sha256(der_of(number)).hexdigest(),
        subject=f"CN=h{number}.example",
        issuer="CN=Test Issuing CA",
        serial_hex=f"{number:08x}",
        not_before=START,
        not_after=START + timedelta(days=90 + number),
        san=(f"h{number}.example",),
        san_count=1,
    )


def path_certificate(number: int) -> PathCertificate:
    """The n-th certificate as report cards name it."""
    facts = certificate(number)
    return PathCertificate(fingerprint_sha256=facts.fingerprint_sha256, subject=facts.subject, issuer=facts.issuer)


class Observations:
    """Draws events; `draw` returns what is appended next, as (topic, encoded event)."""

    def __init__(self, seed: int, *, hosts: int = 4) -> None:
        self._random = random.Random(seed)
        self._hosts = hosts
        self._scans: list[Snapshot] = []
        self._sent: list[EncodedEvent] = []
        self._draws: tuple[tuple[Callable[[], EncodedEvent], int], ...] = (
            (self.snapshot, 30),
            (self.report_card, 30),
            (self.change, 6),
            (self.transition, 14),
            (self.delivery, 8),
            (self.work_item, 6),
            (self.repeated, 6),
            (self.poison, 4),
        )

    def draw(self, count: int) -> Iterator[EncodedEvent]:
        """The next `count` events."""
        kinds, weights = zip(*self._draws, strict=True)
        for _ in range(count):
            event = self._random.choices(kinds, weights)[0]()
            self._sent.append(event)
            yield event

    def snapshot(self) -> EncodedEvent:
        """A scan: at a new time, late, a second one of a known scan, or of a host said to be another workspace's."""
        host = self._random.randrange(self._hosts)
        at = START + timedelta(minutes=5 * self._random.randrange(9_000))
        scan = derived("scan", host, at)
        if self._scans and self._random.random() < 0.15:
            first = self._random.choice(self._scans)
            later = timedelta(minutes=self._random.choice((0, 0, 5)))
            host, scan, at = self._number(first), first.scan_id, first.requested_at + later
        leaf = self._random.choice((host, host, host + 100))
        chain = tuple(certificate(n) for n in (leaf, 1_000))
        well = self._random.random() < 0.75
        # Never a host's first: the first event says whose the host is.
        foreign = self._random.random() < 0.03 and any(scan.host_id == host_of(host) for scan in self._scans)
        event = Snapshot(
            scan_id=scan,
            target=target_of(host, workspace=WORKSPACES[(host + 1) % 2] if foreign else None),
            requested_at=at,
            depth=Depth.LIGHT,
            reason=ScanReason.SLOT,
            outcome=Outcome.OK if well else Outcome.REFUSED,
            detail=None if well else self._random.choice(("no\u202eanswer", "refused")),
            finished_at=at + timedelta(milliseconds=self._random.randrange(5_000)),
            tls_version="TLSv1.3" if well else None,
            chain=chain if well else (),
            chain_count=len(chain) if well else 0,
            chain_der=_ders(leaf, 1_000) if well and self._random.random() < 0.5 else None,
            scanner=f"scanner-{self._random.randrange(3)}",
        )
        self._scans.append(event)
        return self._encoded("snapshots", event.host_id, event, ids.snapshot_id(scan))

    def report_card(self) -> EncodedEvent:
        """A card of a scan, maybe not the first one, maybe before its snapshot has been read."""
        if not self._scans:
            return self.snapshot()
        scan = self._random.choice(self._scans)
        grade = self._random.choice((None, *Grade)) if scan.outcome is Outcome.OK else None
        event = ReportCard(
            scan_id=scan.scan_id,
            target=target_of(self._number(scan)),
            requested_at=scan.requested_at,
            late=self._random.random() < 0.1,
            outcome=scan.outcome,
            grade=grade,
            chain_valid=self._random.choice(list(Verdict)),
            path=tuple(path_certificate(n) for n in (1, 1_000)),
            rulebook="vigilo-2026",
            trust_store="test",
            graded_at=scan.finished_at + timedelta(seconds=self._random.randrange(60)),
        )
        return self._encoded("report-cards", event.host_id, event, ids.report_card_id(scan.scan_id))

    def change(self) -> EncodedEvent:
        """A certificate change of a scan."""
        if not self._scans:
            return self.snapshot()
        scan = self._random.choice(self._scans)
        new, issuer_changed = self._random.randrange(2, 5), self._random.random() < 0.5
        of_chain = new == 2
        event = CertificateChange(
            scan_id=scan.scan_id,
            target=target_of(self._number(scan)),
            requested_at=scan.requested_at,
            kind=ChangeKind.CHAIN if of_chain else ChangeKind.LEAF,
            old=path_certificate(2 if of_chain else 1),
            new=path_certificate(new),
            issuer_changed=issuer_changed and not of_chain,
            unexpected=(Unexpected.ISSUER_CHANGED,) if issuer_changed and not of_chain else (),
        )
        change_id = ids.certificate_change_id(event.target.host_id, scan.scan_id)
        return self._encoded("certificate-changes", event.target.host_id, event, change_id)

    def transition(self) -> EncodedEvent:
        """A transition of an alert; its n may be any, also one already there."""
        host, alert_number = self._random.randrange(self._hosts), self._random.randrange(4)
        n = self._random.randint(1, 6)
        alert = derived("alert", host, alert_number)
        opened_at = START + timedelta(hours=host * 10 + alert_number)
        event = AlertTransition(
            transition_id=ids.transition_id(alert, n),
            alert_id=alert,
            n=n,
            episode=alert_number + 1,
            kind=self._random.choice(list(TransitionKind)),
            workspace_id=WORKSPACES[host % 2],
            host=AlertHost(host_id=host_of(host), hostname=f"h{host}.example", port=443, version=1),
            rule=_rule(alert_number % 3),
            summary="chain validation fails",
            facts=AlertFacts(),
            opened_at=opened_at,
            at=opened_at + timedelta(minutes=n),
            note=self._random.choice((None, "seen")),
            decided_by=DecidedBy(
                topic="report-cards", partition=0, offset=n, ce_id="x", config_version={}, at=opened_at
            ),
        )
        return self._encoded("alerts", event.host_id, event, event.transition_id)

    def delivery(self) -> EncodedEvent:
        """The state of a delivery."""
        host, alert_number, n = (
            self._random.randrange(self._hosts),
            self._random.randrange(4),
            self._random.randint(1, 6),
        )
        alert = derived("alert", host, alert_number)
        transition, channel = ids.transition_id(alert, n), derived("channel", alert_number % 2)
        attempt = self._random.randint(0, 3)
        event = Delivery(
            delivery_id=ids.delivery_id(transition, channel),
            workspace_id=WORKSPACES[host % 2],
            channel_id=channel,
            transition_id=transition,
            alert_id=alert,
            host_id=host_of(host),
            status=self._random.choice(list(DeliveryStatus)),
            attempt=attempt,
            http_status=self._random.choice((None, 200, 503)),
            at=START + timedelta(minutes=attempt, seconds=self._random.randrange(3)),
        )
        return self._encoded("deliveries", event.delivery_id, event, event.delivery_id)

    def work_item(self) -> EncodedEvent:
        """A version of a work item, in one workspace or the other, or its tombstone."""
        item = derived("item", self._random.randrange(3))
        if self._random.random() < 0.2:
            return encode(OutgoingEvent("work-items", str(item), item, None, START), source="/tests")
        version = self._random.randint(1, 6)
        event = WorkItem(
            item_id=item,
            workspace_id=self._random.choice(WORKSPACES),
            version=version,
            status=self._random.choice(list(RecordStatus)),
            kind="change",
            title=f"renewal {version} of {self._random.randrange(9)}",
            host_ids=tuple(host_of(n) for n in range(self._random.randrange(3))),
            updated_at=START + timedelta(hours=version),
        )
        return self._encoded("work-items", item, event, ids.record_id(item, version))

    def repeated(self) -> EncodedEvent:
        """Something already sent, byte for byte."""
        return self._random.choice(self._sent) if self._sent else self.snapshot()

    def poison(self) -> EncodedEvent:
        """Something no reader can use, each for a reason of its own."""
        good = self._random.choice((self.snapshot, self.report_card, self.transition, self.delivery))()
        value = good.value or b""
        spoiled = (
            b"{",
            b"\xff\xfe",
            None,
            value.replace(b'"workspace_id"', b'"nobody"'),
            value.replace(b'"2025-', b'"2099-'),
            value.replace(b'"2025-', b'"0001-'),
            value.replace(b'Z"', b'"'),
            value.replace(b'"scanner-', b'"\\u0000-'),
            value.replace(b'"n":', b'"n":9999999999'),
            value.replace(b'"attempt":', b'"attempt":9999999999'),
        )
        return EncodedEvent(good.topic, good.key, self._random.choice(spoiled), good.headers)

    def _number(self, scan: Snapshot) -> int:
        return next(number for number in range(self._hosts) if host_of(number) == scan.host_id)

    def _encoded(self, topic: str, key: UUID, event: Event, event_id: UUID) -> EncodedEvent:
        return encode(OutgoingEvent(topic, str(key), event_id, event, START), source="/tests")


def _ders(*numbers: int) -> tuple[str, ...]:
    return tuple(base64.b64encode(der_of(number)).decode("ascii") for number in numbers)


def _rule(number: int) -> AlertRuleRef:
    return AlertRuleRef(
        rule_id=derived("rule", number),
        version=1,
        name=f"rule {number}",
        trigger=ChainValidationFails(),
        severity=list(Severity)[number],
    )


def in_partitions(events: Iterator[EncodedEvent], *, partitions: int) -> dict[tuple[str, int], list[Record]]:
    """The events as the broker would hold them."""
    logs: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
    appended_ms = int(APPENDED_AT.timestamp() * 1000)
    for event in events:
        number = partition_for(event.key or b"", partitions)
        log = logs[event.topic, number]
        log.append(Record(event.topic, number, len(log), appended_ms, event.key, event.value, event.headers))
    return dict(logs)
