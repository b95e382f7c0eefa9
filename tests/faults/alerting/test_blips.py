"""Nobody is woken by a blip: 10,000 scans of servers that do not change, over lines that do."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from OpenSSL import SSL

from services.alerter.decide import Alerter
from services.grader.decide import GraderProcessor
from services.scanner.resolve import SystemResolver
from services.scanner.tools import Tools
from services.scheduler.decide import Scheduler
from tests.fakes.inputs import host, rule
from tests.fakes.pki import Authority
from tests.fakes.tls_server import Serving, TlsServer
from tests.faults.alerting.bad_line import BadLine, Weather
from tests.faults.alerting.watched import Service, Watched
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.alerting.config import Placed, RuleSet
from vigilo.alerting.confirmation import confirmation
from vigilo.alerting.recommended import RECOMMENDED
from vigilo.events import ids
from vigilo.events.alerts import TransitionKind
from vigilo.events.hosts import Interval, Protocol, Trust
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import (
    CertificateChanged,
    ExpiresInLessThan,
    NameMismatch,
    NotTls,
    OcspStaplingStops,
    ProtocolBelow,
    Trigger,
    WeakKey,
)
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import AnchorSet, TrustStores

pytestmark = pytest.mark.slow

SCANS, HOSTS = 10_000, 40
THROTTLED_AFTER = 10
WORKSPACE = UUID("0190a000-0000-7000-8000-000000000001")
TRIGGERS: tuple[Trigger, ...] = (
    *(one.trigger for one in RECOMMENDED),
    ExpiresInLessThan(days=7, include="path"),
    OcspStaplingStops(),
    NameMismatch(),
    NotTls(),
    ProtocolBelow(),
    WeakKey(),
    CertificateChanged(which="any"),
)
TOLD = (TransitionKind.OPENED, TransitionKind.NOTICE)


@dataclass(frozen=True, slots=True)
class Lab:
    """One server that does not change, and what watches it."""

    authority: Authority
    server: TlsServer
    resolver: SystemResolver

    def watch(self, line: BadLine, number: int) -> Watched:
        """The host number so and so, behind that line, each with a scanner of its own; it begins an hour ago."""
        judge = TrustJudge(
            TrustStores(public=AnchorSet("none", ()), private=AnchorSet("test", (self.authority.root.certificate,)))
        )
        rules = RuleSet.of([Placed(offset, one) for offset, one in enumerate(_rules())])
        now = datetime.now(UTC) - timedelta(hours=1)
        watched = host(
            host_id=uuid5(WORKSPACE, str(number)),
            workspace_id=WORKSPACE,
            hostname="localhost",
            address="127.0.0.1",
            port=line.port,
            protocol=Protocol.TLS,
            interval=Interval.M5,
            trust=Trust.PRIVATE,
            created_at=now,
            updated_at=now,
        )
        tools = Tools(self.resolver, ScanEgress(parse_networks(["127.0.0.0/8"])), "test")
        services = (Service(Scheduler()), Service(GraderProcessor(lambda _: judge)), Service(Alerter(lambda: rules)))
        return Watched(watched, now, tools, services, before_scan=line.renew)


def _rules() -> Iterator[AlertRule]:
    for number, trigger in enumerate(TRIGGERS):
        confirmed = confirmation(trigger.kind)
        yield rule(
            rule_id=uuid5(WORKSPACE, f"rule {number}"),
            workspace_id=WORKSPACE,
            name=f"{number} {trigger.kind}",
            trigger=trigger,
            open_after=confirmed.open_after,
            close_after=confirmed.close_after,
        )


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    authority = Authority.create()
    serving = Serving(authority.leaf("localhost"), oldest=SSL.TLS1_2_VERSION, ciphers=b"ECDHE+AESGCM:ECDHE+CHACHA20")
    resolver = SystemResolver(threads=2)
    with TlsServer(serving) as server:
        yield Lab(authority, server, resolver)
    resolver.close()


def bad_weather(number: int) -> Weather:
    """2 % loss, one connection in 200 is reset, one in 100 stalls for 3 s; every fourth server throttles.

    Three resets in a row are an outage to anybody. At this rate they come in one run of some 400.
    """
    throttle = THROTTLED_AFTER if number % 4 == 0 else None
    return Weather(random.Random(number), loss=0.02, resets=0.005, stalls=0.01, at_once=throttle)


async def test_ten_thousand_scans_of_unchanged_servers_open_nothing(lab: Lab) -> None:
    async with AsyncExitStack() as stack:
        lines = [
            await stack.enter_async_context(BadLine(lab.server.port, bad_weather(number))) for number in range(HOSTS)
        ]
        hosts = [lab.watch(line, number) for number, line in enumerate(lines)]
        await asyncio.gather(*(one.scanned(SCANS // HOSTS) for one in hosts))
    happened = sum((Counter(line.weather.tally) for line in lines), Counter[str]())
    kinds = Counter(f"{t.kind} {t.rule.trigger.kind}" for one in hosts for t in one.transitions)
    scans = sum(one.scans for one in hosts)
    outcomes = sum((one.outcomes for one in hosts), Counter[str]())
    print(f"\n{scans} scans; {dict(outcomes)}\nlines: {dict(happened)}\ntransitions: {dict(kinds)}")
    assert scans >= SCANS
    assert {"lost SYN", "lost data", "reset at once", "reset later", "stall", "throttled"} <= happened.keys()
    told = [(number, t.kind, t.rule.name, t.summary) for number, one in enumerate(hosts) for t in one.of(*TOLD)]
    assert told == []
    # What was thought of and dropped: each is a blip that nobody heard of, and has ended as one.
    pending = sum(len(one.of(TransitionKind.PENDING)) for one in hosts)
    assert pending > 0, "the lines were so good that nothing had to be confirmed"
    closed = sum(len(one.of(TransitionKind.CLOSED)) for one in hosts)
    assert pending - HOSTS <= closed <= pending


async def test_a_server_that_is_really_gone_opens_within_minutes_and_closes_when_it_is_back(lab: Lab) -> None:
    """The control."""
    async with BadLine(lab.server.port, bad_weather(1)) as line:
        watched = lab.watch(line, 1)
        await watched.scanned(20)
        assert watched.of(*TOLD) == []
        line.dead, gone_at = True, watched.at
        await watched.scanned(watched.scans + 6)
        (opened,) = watched.of(TransitionKind.OPENED)
        assert opened.rule.trigger.kind == "unreachable"
        assert opened.at - gone_at < timedelta(minutes=7), "the slot, and two rechecks"
        line.dead, back_at = False, watched.at
        await watched.scanned(watched.scans + 6)
        closed = watched.of(TransitionKind.CLOSED)[-1]
        assert closed.alert_id == opened.alert_id
        assert closed.at - back_at < timedelta(minutes=7)
        assert ids.transition_id(opened.alert_id, opened.n) == opened.transition_id
