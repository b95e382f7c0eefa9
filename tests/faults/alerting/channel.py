"""A webhook channel as the API would have left it: its rows with the sealed address, and its record."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo

from services.api.migrate import migrate
from tests.fakes import inputs
from vigilo.adapters.channel_credentials import WebhookCredentials
from vigilo.adapters.secrets import SecretBox, channel_place, new_key, parse_keys
from vigilo.events import ids
from vigilo.events.rules import Channel, ChannelKind, RecordStatus

ROLE, PASSWORD = "vigilo_notifier", "a-password-of-the-tests"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class ChannelDesk:
    """An empty database, migrated; what the notifier must be given to send from it to loopback."""

    def __init__(self, database: str) -> None:
        migrate(database, {ROLE: PASSWORD})
        self._database, self._keys = database, new_key("lab")
        self.environment = {
            "VIGILO_DATABASE_URL": make_conninfo(database, user=ROLE, password=PASSWORD),
            "VIGILO_SECRET_KEYS": self._keys,
            "VIGILO_DELIVERY_ALLOW": "127.0.0.0/8:*",
        }

    def webhook(self, workspace_id: UUID, url: str) -> Channel:
        """Enters the workspace with its one channel; the record is still to be written to its topic."""
        channel_id = ids.new_id()
        credentials = WebhookCredentials(url=url, secret=SECRET).model_dump_json().encode()
        box = SecretBox(parse_keys(self._keys))
        sealed = box.seal(credentials, place=channel_place(workspace_id, channel_id))
        with psycopg.connect(self._database, autocommit=True) as admin:
            admin.execute(
                "insert into config.workspaces (workspace_id, slug, name, version, created_at, updated_at) "
                "values (%s, 'lab', 'lab', 1, now(), now())",
                (workspace_id,),
            )
            admin.execute(
                "insert into config.channels (channel_id, workspace_id, version, status, kind, name, enabled, "
                "destination, created_at, updated_at) "
                "values (%s, %s, 1, 'active', 'webhook', 'lab', true, 'd', now(), now())",
                (channel_id, workspace_id),
            )
            admin.execute(
                "insert into config.channel_secrets (channel_id, workspace_id, key_id, ciphertext, updated_at) "
                "values (%s, %s, %s, %s, now())",
                (channel_id, workspace_id, sealed.key_id, sealed.ciphertext),
            )
        return Channel(
            channel_id=channel_id,
            workspace_id=workspace_id,
            version=1,
            status=RecordStatus.ACTIVE,
            kind=ChannelKind.WEBHOOK,
            name="lab",
            destination="loopback",
            created_at=inputs.NOON,
            updated_at=inputs.NOON,
        )
