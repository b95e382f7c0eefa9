"""The whole system under test, and a person's hands: the API with the owner's token."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.integration.launcher.system import VIGILO_UP, Running, launched

T = TypeVar("T")

# Broker and database of its own: a shared one would show other tests' hosts.
_OWN_SERVERS = {"VIGILO_KAFKA_BOOTSTRAP": "", "VIGILO_DATABASE_URL": ""}
DELIVER_TO_LOOPBACK = {"VIGILO_DELIVERY_ALLOW": "127.0.0.0/8:*"}
SERVICES = ("scheduler", "scanner", "grader", "alerter", "notifier", "projector", "api")


@dataclass
class Vigilo:
    """A running system and a client that holds the owner's token."""

    running: Running
    client: httpx.Client

    def post(self, path: str, body: dict[str, Any] | None = None, *, expect: int = 201) -> dict[str, Any]:
        """POST in the default workspace; fails unless the status is `expect`."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == expect, f"POST {path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}

    def get(self, path: str, **query: Any) -> httpx.Response:
        """GET in the default workspace."""
        return self.client.get(path, params=query)

    def add_host(self, hostname: str, port: int, **more: Any) -> str:
        """Adds a host; returns its id."""
        return str(self.post("hosts", {"hostname": hostname, "port": port, **more})["host_id"])

    def add_webhook(self, url: str) -> tuple[str, str]:
        """Adds a webhook channel; returns its id and the signing secret, shown this once."""
        made = self.post("channels", {"kind": "webhook", "name": "receiver", "url": url})
        return str(made["channel_id"]), str(made["secret"])

    def add_rule(self, trigger: dict[str, Any], channels: list[str], **more: Any) -> str:
        """Adds a critical rule over all hosts; returns its id."""
        body = {
            "name": str(trigger["kind"]),
            "trigger": trigger,
            "scope": {"kind": "all"},
            "severity": "critical",
            "channels": channels,
            **more,
        }
        return str(self.post("rules", body)["rule_id"])

    def alerts(self, host_id: str, **query: Any) -> list[dict[str, Any]]:
        """The alerts of a host, as the API lists them."""
        answer = self.get("alerts", host=host_id, **query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def latest(self, host_id: str) -> dict[str, Any] | None:
        """The newest snapshot, or None before the first."""
        answer = self.get(f"hosts/{host_id}/snapshots/latest")
        return dict(answer.json()) if answer.status_code == 200 else None

    def card(self, host_id: str) -> dict[str, Any] | None:
        """The newest report card, or None before the first."""
        answer = self.get(f"hosts/{host_id}/report-card")
        return dict(answer.json()) if answer.status_code == 200 else None

    def ready(self) -> bool:
        """True once a host can be added and scanned."""
        return httpx.get(f"http://127.0.0.1:{self.running.port}/readyz", timeout=10).status_code == 200

    def kill(self, service: str) -> None:
        """SIGKILL, as the kernel would out of memory."""
        os.kill(self.running.recorded()[service], signal.SIGKILL)


def eventually(probe: Callable[[], T | None], what: str, *, seconds: float = 20) -> T:
    """The first true answer of `probe`, asked again and again; lost connections are no answer. Fails in the end."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = probe()
        except httpx.TransportError as error:
            last, answer = error, None
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not {what} within {seconds} s; last: {last!r}")


@contextmanager
def system(home: Path, **environment: str) -> Iterator[Vigilo]:
    """A whole Vigilo on loopback with its own Kafka and PostgreSQL; stopped and cleaned up afterwards."""
    with launched(home, {**_OWN_SERVERS, **DELIVER_TO_LOOPBACK, **environment}, command=VIGILO_UP) as running:
        running.wait_until_ready(seconds=180)
        token = (home / "owner-token").read_text().strip()
        base = f"http://127.0.0.1:{running.port}/api/v1/workspaces/default/"
        with httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=10) as client:
            yield Vigilo(running, client)
        running.interrupt_group()
        assert running.wait(40) == 0, running.said()
