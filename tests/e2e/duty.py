"""A Vigilo with somebody on duty: five channels, the recommended rules, certificates of a private authority."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from OpenSSL import SSL

from tests.e2e.desk import Desk, desk
from tests.e2e.vigilo import Vigilo, eventually, system
from tests.fakes.pagerduty import Status
from tests.fakes.pki import Authority, expiring
from tests.fakes.tls_server import Serving, TlsServer

SOON: Final = "Expires within 7 days"
MONTH: Final = "Expires within 30 days"
UNREACHABLE: Final = "Unreachable"
RUNBOOK: Final = "https://wiki.example.com/tls/renew"
OWNER: Final = "Shop team"
# Long enough for a server to be away for one scan alone, short enough to wait for.
_SPACING: Final = {"VIGILO_RECHECK_SPACING": "3s", "VIGILO_SCAN_NOW_SPACING": "1s"}
# How loud a host tagged prod is (Duty.loudness) once both rules about expiry opened, and once they closed.
OPENED: Final = (2, 2, 1, 1, 1)
OVER: Final = (4, 4, 2, 2, 1)
_AUTHORITY: Final = Authority.create("Duty")


def certificate(days: float) -> Serving:
    """A blameless server but for the certificate, which ends in so many days."""
    leaf = expiring("127.0.0.1", "localhost", in_=timedelta(days=days), issuer=_AUTHORITY.intermediate)
    return Serving(leaf, oldest=SSL.TLS1_2_VERSION, ciphers=b"ECDHE+AESGCM")


@dataclass(frozen=True)
class Watched:
    """A host as Vigilo knows it, and as messages name it."""

    host_id: str
    where: str


@dataclass(frozen=True)
class Duty:
    """The system, the receivers, and the rules as a new workspace had them, by name."""

    vigilo: Vigilo
    desk: Desk
    rules: dict[str, dict[str, Any]]

    def watch(self, server: TlsServer, *tags: str) -> Watched:
        """Adds the server's host and waits for its first card."""
        host = self.vigilo.add_host("127.0.0.1", server.port, tags=tags, owner=OWNER, runbook_url=RUNBOOK)
        eventually(lambda: self.vigilo.card(host), "graded")
        return Watched(host, f"127.0.0.1:{server.port}")

    def scan(self, host: Watched) -> dict[str, Any]:
        """Asks for a scan and waits until its snapshot is there."""
        scan_id = self.vigilo.post(f"hosts/{host.host_id}/scan", expect=202)["scan_id"]

        def arrived() -> dict[str, Any] | None:
            found = self.vigilo.latest(host.host_id)
            return found if found is not None and found["scan_id"] == scan_id else None

        return eventually(arrived, "scanned")

    def alert(self, host: Watched, rule: str, state: str, *, seconds: float = 20) -> dict[str, Any]:
        """The newest alert of that rule at the host, once it is in that state."""

        def found() -> dict[str, Any] | None:
            listed = self.vigilo.alerts(host.host_id, rule=self.rules[rule]["rule_id"], state=state)
            return listed[0] if listed else None

        return eventually(found, f"{state}: {rule}", seconds=seconds)

    def renewed(self, server: TlsServer, host: Watched) -> None:
        """The server gets a good certificate; then nobody has heard more than once that it was bad and is good."""
        server.serving = certificate(days=80)
        self.scan(host)
        self.hears(lambda: self.loudness(host), OVER)
        self.hears(lambda: self.desk.firing(host.where), [])
        (incident,) = self.desk.incidents(host.where)
        assert incident.status is Status.RESOLVED

    @contextmanager
    def dying(self, service: str) -> Iterator[None]:
        """The service does nothing any more during the block (SIGSTOP), and is killed at its end (SIGKILL)."""
        pid = self.vigilo.running.recorded()[service]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGKILL)

    def course(self, alert: dict[str, Any]) -> list[str]:
        """The kinds of an alert's transitions, in order."""
        return [one["kind"] for one in self.vigilo.get(f"alerts/{alert['alert_id']}").json()["transitions"]]

    def hears(self, probe: Callable[[], object], expected: object, *, seconds: float = 20) -> None:
        """Waits until a receiver has heard exactly that."""
        eventually(lambda: probe() == expected, f"heard: {expected}; but {probe()}", seconds=seconds)

    def loudness(self, host: Watched) -> tuple[int, int, int, int, int]:
        """How many messages of it webhook, Slack, PagerDuty and mail got; how many alerts of it Alertmanager has."""
        return (
            len(self.desk.bodies(host.host_id)),
            len(self.desk.posts(host.where)),
            sum(len(one.events) for one in self.desk.incidents(host.where)),
            len(self.desk.mails(host.where)),
            len(self.desk.alerts(host.where)),
        )

    def attempts(self, alert: dict[str, Any], count: int) -> list[tuple[str, str, int]]:
        """(kind of channel, status, attempts) of an alert's deliveries, sorted, once there are so many."""

        def found() -> list[tuple[str, str, int]] | None:
            listed = self.vigilo.get("deliveries", alert=alert["alert_id"]).json()["items"]
            told = sorted((one["channel_kind"], one["status"], one["attempt"]) for one in listed)
            return told if len(told) >= count else None

        return eventually(found, f"{count} deliveries")


@contextmanager
def on_duty(home: Path) -> Iterator[Duty]:
    """A whole Vigilo and its receivers.

    Webhook: every alert. PagerDuty: what is critical. Slack: hosts tagged prod. E-mail: named by the rule SOON.
    Alertmanager: a route of that rule.
    """
    with desk() as receivers, system(home, **_SPACING, **receivers.mail_settings()) as vigilo:
        rules = {one["name"]: one for one in vigilo.get("rules").json()["items"]}
        vigilo.post("roots", {"pem": _AUTHORITY.root.pem.decode()})
        soon = rules[SOON]["rule_id"]
        receivers.add(vigilo, "webhook", {})
        receivers.add(vigilo, "pagerduty", {"severities": ["critical"]})
        receivers.add(vigilo, "slack", {"tags": ["prod"]})
        receivers.add(vigilo, "alertmanager", {"rules": [soon]})
        receivers.add(vigilo, "email")
        edited = vigilo.client.patch(f"rules/{soon}", json={"channels": [receivers.channels["email"]]})
        assert edited.status_code == 200, edited.text
        yield Duty(vigilo, receivers, rules)
        assert not receivers.unheard()
