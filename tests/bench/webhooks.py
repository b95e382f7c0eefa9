"""A channel that ends at a receiver of ours: when the webhook about each host came in."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from aiohttp import web

from tests.bench.fleet import WORKSPACE, event
from tests.bench.workshop import Workshop
from tests.fakes.receiver import Received, Receiver
from tests.faults.alerting.channel import ChannelDesk
from tests.faults.alerting.lab import receiver_thread
from tests.faults.streams.waiting import wait_until
from vigilo.events import ids

OPENED = "alert.opened"


class Webhooks:
    """What the receiver got, by the wall clock, which the services and Kafka on this machine share."""

    def __init__(self, receiver: Receiver, channel_id: UUID) -> None:
        self.channel_id = channel_id
        self._arrived: list[tuple[float, bytes]] = []
        receiver.answer = self._take

    def _take(self, got: Received) -> web.Response:
        self._arrived.append((time.time(), got.body))
        return web.Response(status=204)

    def opened(self) -> Mapping[UUID, float]:
        """By host, when its first "opened" was read to the end."""
        found: dict[UUID, float] = {}
        for at, body in list(self._arrived):
            message = json.loads(body)
            if message["type"] == OPENED:
                found.setdefault(UUID(message["data"]["host"]["host_id"]), at)
        return found

    def until(self, count: int, *, seconds: float) -> Mapping[UUID, float]:
        """`opened`, once that many hosts are in it."""
        wait_until(lambda: len(self.opened()) >= count, seconds=seconds, what=f"{count} webhooks", every=0.5)
        return self.opened()


@contextmanager
def webhooks(workshop: Workshop, database: str) -> Iterator[Webhooks]:
    """A channel of the fleet's workspace, its receiver, and a notifier that is ready to send."""
    desk = ChannelDesk(database)
    with receiver_thread() as receiver:
        channel = desk.webhook(WORKSPACE, receiver.url)
        record_id = ids.record_id(channel.channel_id, channel.version)
        workshop.fill([event("channels", channel.channel_id, channel, record_id)])
        with workshop.service("notifier", **desk.environment) as notifier:
            wait_until(lambda: notifier.ready, seconds=60, what="a notifier")
            yield Webhooks(receiver, channel.channel_id)
