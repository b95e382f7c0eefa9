"""Alerting as people on call see it: who hears what, once, and can see why, or why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from tests.e2e.desk import Desk, desk, mail_text, slack_text
from tests.e2e.duty import MONTH, OWNER, RUNBOOK, SOON, UNREACHABLE, Duty, Watched, certificate
from tests.e2e.test_main_job import leaf
from tests.e2e.vigilo import Vigilo, eventually
from tests.fakes.pagerduty import Status
from tests.fakes.tls_server import Serving, TlsServer

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

EXPIRES = "expires-in-less-than"
OWNERS_TOKEN = "owner (made at the first start)"


def test_routes_page_once_and_the_incident_is_resolved_when_the_certificate_is_renewed(vigilo: Vigilo) -> None:
    with desk() as receivers, TlsServer(Serving(leaf(days=5))) as server:
        rule = vigilo.add_rule({"kind": EXPIRES, "days": 7}, [])
        receivers.add(vigilo, "pagerduty", {"severities": ["critical"]})
        receivers.add(vigilo, "slack", {"tags": ["prod"]})
        host, where = vigilo.add_host("127.0.0.1", server.port, tags=["prod"]), f"127.0.0.1:{server.port}"
        eventually(lambda: receivers.incidents(where) and receivers.posts(where), "told")
        (alert,) = eventually(lambda: vigilo.alerts(host, rule=rule), "listed")

        vigilo.post(f"alerts/{alert['alert_id']}/acknowledge", {"note": "CHG-1024"}, expect=202)
        (incident,) = receivers.incidents(where)
        eventually(lambda: incident.status is Status.ACKNOWLEDGED, "acknowledged")
        server.serving = Serving(leaf(days=80))
        vigilo.post(f"hosts/{host}/scan", expect=202)
        eventually(lambda: incident.status is Status.RESOLVED and len(receivers.posts(where)) == 3, "over")

        assert receivers.incidents(where) == [incident]
        assert [one["event_action"] for one in incident.events] == ["trigger", "acknowledge", "resolve"]
        assert not receivers.unheard()
        for path in (f"rules/{rule}", *(f"channels/{one}" for one in receivers.channels.values())):
            assert vigilo.client.delete(path).status_code == 204


@pytest.mark.slow
def test_a_new_workspace_has_six_rules_for_all_hosts_that_tell_nobody_outside(duty: Duty) -> None:
    shown = {
        name: (one["trigger"]["kind"], one["severity"], one["open_after"], one["close_after"])
        for name, one in duty.rules.items()
    }
    assert shown == {
        MONTH: (EXPIRES, "warning", 1, 1),
        SOON: (EXPIRES, "critical", 1, 1),
        "Chain does not validate": ("chain-validation-fails", "critical", 1, 1),
        UNREACHABLE: ("unreachable", "critical", 3, 2),
        "Not scanned any more": ("scan-overdue", "warning", 1, 1),
        "Grade below B": ("grade-below", "warning", 2, 1),
    }
    for one in duty.rules.values():
        assert (one["enabled"], one["scope"], one["channels"]) == (True, {"kind": "all"}, [])


@pytest.mark.slow
def test_every_kind_of_channel_can_be_tested_and_its_delivery_shows(duty: Duty) -> None:
    began = datetime.now(UTC).isoformat()
    for channel in duty.desk.channels.values():
        duty.vigilo.post(f"channels/{channel}/test", expect=202)
    duty.hears(lambda: _tests_heard(duty.desk), dict.fromkeys(duty.desk.channels, 1))

    for kind, channel in duty.desk.channels.items():
        shown = partial(_test_deliveries, duty, channel, began)
        eventually(lambda kind=kind, shown=shown: shown() == [(kind, "delivered", 1)], f"delivery on {kind} shown")  # type: ignore[misc]
        health = duty.vigilo.get(f"channels/{channel}").json()["health"]
        assert (health["failing_since"], health["waiting"]) == (None, 0)
    (incident,) = [one for one in duty.desk.pagerduty.incidents.all if one.dedup_key.startswith("vigilo-test-")]
    assert incident.status is Status.RESOLVED


def _test_deliveries(duty: Duty, channel: str, since: str) -> list[tuple[str, str, int]]:
    listed = duty.vigilo.get("deliveries", channel=channel, since=since).json()["items"]
    return [(one["channel_kind"], one["status"], one["attempt"]) for one in listed if one["alert_id"] is None]


def _tests_heard(at: Desk) -> dict[str, int]:
    return {
        "webhook": sum(json.loads(one.body)["type"] == "channel.test" for one in at.webhook.requests),
        "pagerduty": sum(one.dedup_key.startswith("vigilo-test-") for one in at.pagerduty.incidents.all),
        "slack": sum(one["text"].startswith("[TEST]") for one in at.slack.messages),
        "alertmanager": sum(one["labels"]["alertname"] == "VigiloTest" for one in at.alertmanager.alerts.values()),
        "email": sum(str(one.mail["Subject"]).startswith("[TEST]") for one in at.mail.mails),
    }


@pytest.mark.slow
def test_an_expiring_certificate_is_told_once_where_it_belongs_acknowledged_and_over_when_renewed(duty: Duty) -> None:
    with TlsServer(certificate(days=5)) as server, TlsServer(certificate(days=5)) as quiet:
        host, untagged = duty.watch(server, "prod"), duty.watch(quiet)
        soon, month = (duty.alert(host, name, "open") for name in (SOON, MONTH))
        duty.hears(lambda: duty.loudness(host), (2, 2, 1, 1, 1))
        duty.hears(lambda: duty.loudness(untagged), (2, 0, 1, 1, 1))
        _holds_what_people_need(duty, host, soon)

        duty.vigilo.post(f"alerts/{soon['alert_id']}/acknowledge", {"note": "CHG-1024, renewed at 18:00"}, expect=202)
        seen = duty.alert(host, SOON, "acknowledged")["acknowledged"]
        assert seen["by_name"] == OWNERS_TOKEN
        duty.hears(lambda: duty.loudness(host), (3, 3, 2, 2, 1))
        (incident,) = duty.desk.incidents(host.where)
        assert incident.status is Status.ACKNOWLEDGED
        assert "CHG-1024, renewed at 18:00" in slack_text(duty.desk.posts(host.where)[-1])
        assert "CHG-1024, renewed at 18:00" in mail_text(duty.desk.mails(host.where)[-1])
        assert f"the token '{OWNERS_TOKEN}'" in mail_text(duty.desk.mails(host.where)[-1])
        assert seen["by"] not in mail_text(duty.desk.mails(host.where)[-1])

        server.serving = certificate(days=80)
        duty.scan(host)
        assert duty.alert(host, SOON, "closed")["close_reason"] == "cleared"
        duty.hears(lambda: duty.loudness(host), (5, 5, 3, 3, 1))

    assert [one["event_action"] for one in incident.events] == ["trigger", "acknowledge", "resolve"]
    duty.hears(lambda: duty.desk.firing(host.where), [])
    assert _states(duty, host, soon) == ["opened", "acknowledged", "closed"]
    assert _states(duty, host, month) == ["opened", "closed"]
    told = 3 * ["alertmanager", "email", "pagerduty", "slack", "webhook"]
    assert duty.attempts(soon, 15) == sorted((kind, "delivered", 1) for kind in told)
    assert duty.attempts(month, 4) == sorted((kind, "delivered", 1) for kind in 2 * ["slack", "webhook"])
    assert duty.loudness(host) == (5, 5, 3, 3, 1)
    assert duty.desk.firing(host.where) == []


def _states(duty: Duty, host: Watched, alert: dict[str, Any]) -> list[str]:
    return [one["data"]["state"] for one in duty.desk.bodies(host.host_id) if _about(one, alert)]


def _about(body: dict[str, Any], alert: dict[str, Any]) -> bool:
    return bool(body["data"]["alert_id"] == alert["alert_id"])


def _holds_what_people_need(duty: Duty, host: Watched, alert: dict[str, Any]) -> None:
    facts = alert["facts"]
    assert 4.9 < facts["days_left"] < 5
    page = f"/alerts/{alert['alert_id']}"
    needed = [facts["fingerprint_sha256"], page, RUNBOOK, OWNER, "4.9", f"{host.where}: certificate expires in 4 days"]
    (body,) = [one for one in duty.desk.bodies(host.host_id) if _about(one, alert)]
    (post,) = [one for one in duty.desk.posts(host.where) if one["text"].startswith("[CRITICAL]")]
    (mail,), (incident,) = duty.desk.mails(host.where), duty.desk.incidents(host.where)
    (lapsing,) = duty.desk.firing(host.where)
    texts = [slack_text(post), mail_text(mail), json.dumps(incident.events[0]), json.dumps(lapsing), json.dumps(body)]
    assert [[one for one in needed if one not in text] for text in texts] == [[]] * 5
    assert str(mail["Subject"]).startswith(f"[CRITICAL] {host.where}: certificate expires in 4 days")


@pytest.mark.slow
def test_an_outage_is_told_after_confirmation_and_so_is_its_end_and_one_failed_scan_is_not(duty: Duty) -> None:
    with TlsServer(certificate(days=80)) as server:
        host, port = duty.watch(server, "prod"), server.port
    duty.scan(host)
    blip = duty.alert(host, UNREACHABLE, "pending")
    with TlsServer(certificate(days=80), port=port):
        eventually(lambda: duty.course(blip) == ["pending", "closed"], "over before it was told")
    assert duty.desk.bodies(host.host_id) == []

    duty.scan(host)
    outage = duty.alert(host, UNREACHABLE, "pending")
    assert outage["alert_id"] != blip["alert_id"]
    assert duty.desk.bodies(host.host_id) == []
    duty.alert(host, UNREACHABLE, "open")
    duty.hears(lambda: duty.desk.told(host.host_id), [("opened", "unreachable")])
    with TlsServer(certificate(days=80), port=port):
        assert duty.scan(host)["outcome"] == "ok"
        duty.alert(host, UNREACHABLE, "closed")
    assert duty.course(outage) == ["pending", "opened", "clearing", "closed"]
    # The order at a channel is that of the transitions: had the blip been told, it would stand before these.
    duty.hears(lambda: duty.loudness(host), (2, 2, 2, 0, 0))
    assert duty.desk.told(host.host_id) == [("opened", "unreachable"), ("closed", "unreachable")]
    (incident,) = duty.desk.incidents(host.where)
    assert incident.status is Status.RESOLVED
