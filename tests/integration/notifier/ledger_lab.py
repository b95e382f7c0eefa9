"""A migrated database, channels in it, and a notifier's parts around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import BaseModel

from services.api.migrate import migrate
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.destinations import SealedDestinations
from services.notifier.http import HttpPoster
from services.notifier.intake import Intake
from services.notifier.planning import Limits
from services.notifier.worker import Senders, Worker
from tests.fakes.alerts import WORKSPACE
from vigilo.adapters.channel_credentials import WebhookCredentials
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.adapters.postgres import Pool, connection_pool
from vigilo.adapters.secrets import SecretBox, channel_place, new_key, parse_keys
from vigilo.events.codec import encode
from vigilo.events.envelope import Event, OutgoingEvent, Record
from vigilo.events.rules import Channel, ChannelKind, RecordStatus, Route

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = "a-password-of-the-tests"
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass
class Lab:
    """What a test of the notifier needs."""

    admin_url: str
    url: str
    pool: Pool
    box: SecretBox
    _offsets: dict[str, int]

    def add_channel(
        self,
        url: str,
        *,
        workspace_id: UUID = WORKSPACE,
        kind: ChannelKind = ChannelKind.WEBHOOK,
        credentials: BaseModel | None = None,
    ) -> UUID:
        """A channel as the API would have stored it: row and sealed credentials; by default a webhook's."""
        channel_id = uuid4()
        secret = (credentials or WebhookCredentials(url=url, secret=SECRET)).model_dump_json().encode()
        sealed = self.box.seal(secret, place=channel_place(workspace_id, channel_id))
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(
                "insert into config.workspaces (workspace_id, slug, name, version, created_at, updated_at) "
                "values (%s, %s, 'w', 1, now(), now()) on conflict do nothing",
                (workspace_id, f"w-{workspace_id.hex[-8:]}"),
            )
            admin.execute(
                "insert into config.channels (channel_id, workspace_id, version, status, kind, name, enabled, "
                "destination, created_at, updated_at) values (%s, %s, 1, 'active', %s, 'c', true, 'd', now(), now())",
                (channel_id, workspace_id, kind.value),
            )
            admin.execute(
                "insert into config.channel_secrets (channel_id, workspace_id, key_id, ciphertext, updated_at) "
                "values (%s, %s, %s, %s, now())",
                (channel_id, workspace_id, sealed.key_id, sealed.ciphertext),
            )
        return channel_id

    def forget(self) -> None:
        """Empties the ledger, for a test that shares its database with others."""
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(
                "truncate notifier.deliveries, notifier.channels, notifier.outbox, notifier.consumed_offsets, "
                "notifier.commands_done"
            )

    def record(self, topic: str, event: Event) -> Record:
        """The event as the next record of partition 0."""
        offset = self._offsets[topic] = self._offsets.get(topic, -1) + 1
        encoded = encode(OutgoingEvent(topic=topic, key=str(uuid4()), id=uuid4(), event=event, time=AT), source="t")
        return Record(topic, 0, offset, 0, encoded.key, encoded.value, encoded.headers)

    async def enter(self, *records: Record) -> int:
        """Applies records as the intake does; returns how many went to dead-letters."""
        async with self.pool.connection() as connection, connection.transaction():
            return len(await Intake().apply(connection, records, now=now()))

    def worker(
        self,
        *,
        allow: str = "127.0.0.0/8:*",
        clock: Callable[[], datetime] = now,
        senders: Senders | None = None,
        limits: Limits | None = None,
    ) -> Worker:
        """A worker that may reach loopback; by default it knows webhooks alone."""
        if senders is None:
            poster = HttpPoster(DeliveryEgress(parse_grants([allow] if allow else [])))
            senders = {ChannelKind.WEBHOOK: WebhookChannel(poster, public_url="http://vigilo.test", clock=now)}
        return Worker(self.pool, senders, SealedDestinations(self.box), clock=clock, limits=limits or Limits())

    async def states(self) -> list[tuple[str, str, int]]:
        """(kind, status, attempt) of every delivery, by n."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute("select kind, status, attempt from notifier.deliveries order by n, kind")
            return [(row["kind"], row["status"], row["attempt"]) for row in await cursor.fetchall()]


def channel(
    channel_id: UUID,
    *,
    version: int = 1,
    enabled: bool = True,
    kind: ChannelKind = ChannelKind.WEBHOOK,
    routes: tuple[Route, ...] = (),
    name: str = "ops",
) -> Channel:
    """The channel's record on its topic."""
    return Channel(
        channel_id=channel_id,
        workspace_id=WORKSPACE,
        version=version,
        status=RecordStatus.ACTIVE,
        kind=kind,
        name=name,
        enabled=enabled,
        destination="127.0.0.1",
        routes=routes,
        created_at=AT,
        updated_at=AT,
    )


@asynccontextmanager
async def ledger_lab(admin_url: str) -> AsyncIterator[Lab]:
    """Migrates the database and logs in as the notifier's own role."""
    migrate(admin_url, {"vigilo_notifier": PASSWORD})
    async with migrated_lab(admin_url) as lab:
        yield lab


@asynccontextmanager
async def migrated_lab(admin_url: str) -> AsyncIterator[Lab]:
    """Logs in to a database that is migrated."""
    url = make_conninfo(admin_url, user="vigilo_notifier", password=PASSWORD)
    pool = connection_pool(url, name="test-notifier")
    await pool.open()
    try:
        yield Lab(admin_url, url, pool, SecretBox(parse_keys(new_key("one"))), {})
    finally:
        await pool.close()
