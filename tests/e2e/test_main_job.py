"""What Vigilo is for: a host is added, seen and graded; people hear once that it is wrong, once that it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from tests.e2e.background import background
from tests.e2e.vigilo import SERVICES, Vigilo, eventually
from tests.fakes.pki import Authority, Issued, Options, expiring
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.tls_server import Serving, TlsServer

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

AUTHORITY = Authority.create("E2E")


def leaf(*, days: float) -> Issued:
    """A certificate for the loopback address that ends in so many days."""
    return expiring("127.0.0.1", "localhost", in_=timedelta(days=days), issuer=AUTHORITY.intermediate)


def kinds(receiver: Receiver, host_id: str, secret: str) -> list[str]:
    """What the receiver heard of a host, in order, each delivery once; every signature is checked."""
    heard: dict[str, str] = {}
    for one in receiver.requests:
        body = Webhook(secret).verify(one.body, one.headers)
        if body["data"].get("host", {}).get("host_id") == host_id:
            heard.setdefault(one.webhook_id, str(body["type"]))
    return list(heard.values())


def test_a_host_is_seen_graded_and_alerted_once_and_the_alert_closes_by_itself(vigilo: Vigilo) -> None:
    with background(receiving()) as receiver, TlsServer(Serving(leaf(days=20))) as server:
        channel, secret = vigilo.add_webhook(receiver.url)
        rule = vigilo.add_rule({"kind": "expires-in-less-than", "days": 30}, [channel])
        host = vigilo.add_host("127.0.0.1", server.port, tags=["prod"])

        snapshot = eventually(lambda: vigilo.latest(host), "scanned", seconds=5)
        assert (snapshot["outcome"], snapshot["tls_version"]) == ("ok", "TLSv1.3")
        assert snapshot["chain"][0]["san_ip"] == ["127.0.0.1"]
        card = eventually(lambda: vigilo.card(host), "graded", seconds=5)
        assert (card["grade"], card["chain_reason"], card["name_matches"]) == ("F", "unknown-issuer", "yes")

        (alert,) = eventually(lambda: vigilo.alerts(host), "open", seconds=5)
        assert (alert["state"], alert["rule"]["rule_id"]) == ("open", rule)
        eventually(lambda: kinds(receiver, host, secret) == ["alert.opened"], "told that it opened", seconds=5)

        server.serving = Serving(leaf(days=80))
        vigilo.post(f"hosts/{host}/scan", expect=202)
        eventually(lambda: vigilo.alerts(host)[0]["state"] == "closed", "closed", seconds=5)
        eventually(
            lambda: kinds(receiver, host, secret) == ["alert.opened", "alert.closed"], "told that it closed", seconds=5
        )
        assert len(vigilo.alerts(host)) == 1
        assert len(receiver.requests) == 2
        assert len(vigilo.get(f"hosts/{host}/changes").json()["items"]) == 1
        vigilo.client.delete(f"rules/{rule}")


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_killed_in_the_middle_costs_nothing_and_doubles_nothing(vigilo: Vigilo, service: str) -> None:
    with background(receiving()) as receiver, TlsServer(Serving(leaf(days=20))) as server:
        channel, secret = vigilo.add_webhook(receiver.url)
        rule = vigilo.add_rule({"kind": "expires-in-less-than", "days": 30}, [channel])
        host = vigilo.add_host("127.0.0.1", server.port)
        vigilo.kill(service)
        eventually(lambda: kinds(receiver, host, secret) == ["alert.opened"], "told that it opened", seconds=60)

        eventually(lambda: vigilo.latest(host), "seen", seconds=60)
        server.serving = Serving(leaf(days=80))
        eventually(lambda: vigilo.client.post(f"hosts/{host}/scan").status_code == 202, "asked to scan", seconds=60)
        vigilo.kill(service)
        eventually(
            lambda: kinds(receiver, host, secret) == ["alert.opened", "alert.closed"],
            "told that it closed",
            seconds=120,
        )
        (alert,) = eventually(
            lambda: [one for one in vigilo.alerts(host) if one["state"] == "closed"], "closed", seconds=60
        )
        assert alert["rule"]["rule_id"] == rule
        assert len(vigilo.alerts(host)) == 1
        eventually(vigilo.ready, "ready again", seconds=60)
        vigilo.client.delete(f"rules/{rule}")


def test_dead_hosts_have_a_snapshot_within_five_seconds(vigilo: Vigilo) -> None:
    hosts = {
        vigilo.add_host("127.0.0.1", 1): "refused",
        vigilo.add_host("no-such-host.invalid", 443): "name-not-found",
        vigilo.add_host("127.255.255.254", 4433): "refused",
    }
    for host, outcome in hosts.items():
        snapshot = eventually(lambda host=host: vigilo.latest(host), "seen", seconds=6)  # type: ignore[misc]
        assert snapshot["outcome"] in (outcome, "dns-failure", "dns-timeout")
        assert eventually(lambda host=host: vigilo.card(host), "carded")["outcome"] == snapshot["outcome"]  # type: ignore[misc]


def test_a_broken_chain_opens_its_alert_and_names_the_reason(vigilo: Vigilo) -> None:
    rule = vigilo.add_rule({"kind": "chain-validation-fails"}, [])
    with TlsServer(Serving(AUTHORITY.leaf("127.0.0.1", options=Options()))) as server:
        host = vigilo.add_host("127.0.0.1", server.port)
        (alert,) = eventually(lambda: vigilo.alerts(host), "open")
        assert alert["state"] == "open"
        assert alert["facts"]["chain_reason"] == "unknown-issuer"
    vigilo.client.delete(f"rules/{rule}")
