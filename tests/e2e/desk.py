"""An on-call desk: receivers of all five kinds, and what each of them heard of one host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any, Final

from standardwebhooks.webhooks import Webhook

from tests.e2e.background import background
from tests.e2e.vigilo import Vigilo
from tests.fakes.alertmanager import Alertmanager, alertmanager
from tests.fakes.pagerduty import Incident, PagerDuty, pagerduty
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.slack import Slack, slack, texts
from tests.fakes.smtp import MailServer, mail_server

ON_CALL: Final = "oncall@example.com"
ROUTING_KEY: Final = "0123456789abcdef0123456789abcdef"


@dataclass
class Desk:
    """The receivers; `channels` are their ids by kind once `connect` or `add` has made them."""

    webhook: Receiver
    slack: Slack
    pagerduty: PagerDuty
    mail: MailServer
    alertmanager: Alertmanager
    channels: dict[str, str] = field(default_factory=dict)
    secret: str = ""

    def mail_settings(self) -> dict[str, str]:
        """What the operator sets to send mail through this desk's server."""
        return {
            "VIGILO_SMTP_HOST": "127.0.0.1",
            "VIGILO_SMTP_PORT": str(self.mail.port),
            "VIGILO_SMTP_SECURITY": "none",
            "VIGILO_SMTP_FROM": "Vigilo <vigilo@acme.test>",
        }

    def add(self, vigilo: Vigilo, kind: str, *routes: dict[str, Any]) -> None:
        """Makes the channel of that kind, with these routes."""
        led: dict[str, dict[str, Any]] = {
            "webhook": {"url": self.webhook.url},
            "slack": {"url": self.slack.url},
            "pagerduty": {"url": self.pagerduty.url, "routing_key": ROUTING_KEY},
            "email": {"to": [ON_CALL]},
            "alertmanager": {"url": self.alertmanager.url},
        }
        made = vigilo.post("channels", {"kind": kind, "name": f"desk {kind}", "routes": routes, **led[kind]})
        self.channels[kind] = made["channel_id"]
        self.secret = made["secret"] or self.secret

    def bodies(self, host_id: str) -> list[dict[str, Any]]:
        """What the webhook got about a host, each delivery once, in order; every signature is checked."""
        heard: dict[str, dict[str, Any]] = {}
        for one in list(self.webhook.requests):
            body = Webhook(self.secret).verify(one.body, one.headers)
            if body["data"].get("host", {}).get("host_id") == host_id:
                heard.setdefault(one.webhook_id, body)
        return list(heard.values())

    def told(self, host_id: str) -> list[tuple[str, str]]:
        """The same in short: (opened | acknowledged | closed | ..., trigger)."""
        return [
            (str(one["type"]).removeprefix("alert."), str(one["data"]["rule"]["trigger"]["kind"]))
            for one in self.bodies(host_id)
        ]

    def posts(self, where: str) -> list[dict[str, Any]]:
        """Slack's messages that name host:port."""
        return [one for one in list(self.slack.messages) if f"{where}:" in one["text"]]

    def incidents(self, where: str) -> list[Incident]:
        """PagerDuty's incidents of host:port."""
        found = list(self.pagerduty.incidents.all)
        return [one for one in found if one.events[0]["payload"]["source"] == where]

    def mails(self, where: str) -> list[EmailMessage]:
        """Mails whose subject names host:port."""
        return [one.mail for one in list(self.mail.mails) if f"{where}:" in str(one.mail["Subject"])]

    def alerts(self, where: str) -> list[dict[str, Any]]:
        """Alertmanager's alerts of host:port."""
        return [one for one in list(self.alertmanager.alerts.values()) if one["labels"].get("instance") == where]

    def firing(self, where: str) -> list[dict[str, Any]]:
        """Those of them that have not ended."""
        now = datetime.now(UTC)
        return [one for one in self.alerts(where) if datetime.fromisoformat(one["endsAt"]) > now]

    def unheard(self) -> list[object]:
        """What a receiver refused as malformed: should be empty."""
        return [*self.slack.refused, *self.pagerduty.refused, *self.alertmanager.refused]


def slack_text(message: dict[str, Any]) -> str:
    """All that a message shows, one text a line."""
    return "\n".join(text for _, text in texts(message))


def mail_text(mail: EmailMessage) -> str:
    """What a mail program without HTML shows."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@contextmanager
def desk() -> Iterator[Desk]:
    """A desk whose receivers listen on loopback, in a thread of their own, as long as the block lasts."""
    with background(_receiving_all()) as made:
        yield made


@asynccontextmanager
async def _receiving_all() -> AsyncIterator[Desk]:
    async with (
        receiving() as webhook,
        slack() as posts,
        pagerduty() as pages,
        mail_server() as mail,
        alertmanager() as alerts,
    ):
        yield Desk(webhook, posts, pages, mail, alerts)
