"""Two alerters and two notifiers on a real broker and database, a receiver, and work that opens and closes alerts.

Everything is real: processes killed by their pid, a PostgreSQL of the lab's own, HTTP over loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.receiver import Receiver, receiving
from tests.fakes.service_lab import ServiceLab, ServiceProcess
from tests.faults.alerting.channel import ChannelDesk
from tests.faults.alerting.journal import keep_everything
from tests.integration.alerter.tenant import Tenant
from vigilo.events import ids
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.rules import AlertRule
from vigilo.events.triggers import ChainValidationFails, ExpiresInLessThan

SERVICES = ("alerter", "notifier")
SOON, LATER = 12, 80  # days


class AlertingLab:
    """One workspace whose hosts' certificates are about to expire, then are not, then are."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, database: str, receiver: Receiver) -> None:
        self.services = ServiceLab(bootstrap, prefix, folder, *SERVICES)
        self.receiver = receiver
        keep_everything(self.services.kafka)
        self._desk = ChannelDesk(database)
        self.tenant = Tenant(self.services)
        channel = self._desk.webhook(self.tenant.workspace_id, receiver.url)
        self.channel_id = channel.channel_id
        self.services.write("channels", channel.channel_id, channel, ids.record_id(channel.channel_id, 1))
        self.rules: list[AlertRule] = [
            self.tenant.rule(trigger=ExpiresInLessThan(days=30), channels=(self.channel_id,)),
            self.tenant.rule(trigger=ChainValidationFails(), channels=()),
        ]
        self.hosts: list[Host] = []

    def start(self, service: str, *, die_at: str = "") -> ServiceProcess:
        """One more process of that service, doomed to die at a point if one is named; returns when it is ready."""
        environment = self._desk.environment if service == "notifier" else {}
        program = ("tests.faults.alerting.doomed", service, die_at) if die_at else ()
        return self.services.start(service, program=program, **environment)

    def add_hosts(self, count: int) -> None:
        """More hosts, none of them scanned yet."""
        self.hosts += [self.tenant.host(hostname=f"h{len(self.hosts) + number}.example") for number in range(count)]

    def scan_all(self, days: float) -> None:
        """A card of every watched host: so many days are left."""
        for host in self.hosts:
            if host.status is HostStatus.ACTIVE:
                self.tenant.card(host, days=days)

    def disturb(self, chance: random.Random) -> None:
        """What people do meanwhile: resume what is paused, pause others, edit a rule's words."""
        for place, host in enumerate(self.hosts):
            if host.status is HostStatus.PAUSED:
                self.hosts[place] = self.tenant.host(of=host, status=HostStatus.ACTIVE)
        for place in chance.sample(range(len(self.hosts)), k=3):
            self.hosts[place] = self.tenant.host(of=self.hosts[place], status=HostStatus.PAUSED)
        self.rules[1] = self.tenant.rule(of=self.rules[1], name=f"chain, said {chance.random():.6f}")


@contextlib.contextmanager
def receiver_thread() -> Iterator[Receiver]:
    """A receiver with an event loop and a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = receiving()
    receiver = asyncio.run_coroutine_threadsafe(listening.__aenter__(), loop).result(10)
    try:
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(listening.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextlib.contextmanager
def alerting_lab(bootstrap: str, prefix: str, folder: Path, database: str) -> Iterator[AlertingLab]:
    """A lab; its processes are ended and its topics deleted afterwards."""
    with receiver_thread() as receiver:
        lab = AlertingLab(bootstrap, prefix, folder, database, receiver)
        try:
            yield lab
        finally:
            lab.services.close()
