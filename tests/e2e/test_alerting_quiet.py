"""What is told later, again or never, and why: snoozes, pauses, drafts, failing receivers, killed services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.e2e.background import background
from tests.e2e.duty import MONTH, OPENED, OVER, SOON, Duty, Watched, certificate
from tests.e2e.vigilo import eventually
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.tls_server import TlsServer

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

EXPIRES = "expires-in-less-than"


def faulty(duty: Duty, server: TlsServer, host: Watched) -> None:
    """The server gets a certificate that ends in five days, and is seen with it."""
    server.serving = certificate(days=5)
    duty.scan(host)


def why(duty: Duty, rule: str, host: Watched) -> dict[str, Any]:
    """What the API says of a rule at a host."""
    answer = duty.vigilo.get(f"rules/{duty.rules[rule]['rule_id']}/why", host=host.host_id)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_snoozed_host_tells_nothing_until_the_snooze_ends_and_then_once(duty: Duty) -> None:
    with TlsServer(certificate(days=80)) as server:
        host = duty.watch(server, "prod")
        duty.vigilo.post(f"hosts/{host.host_id}/snooze", {"for": "1h", "reason": "CHG-7"}, expect=200)
        faulty(duty, server, host)
        held = duty.alert(host, SOON, "suppressed")
        assert datetime.fromisoformat(held["snoozed_until"]) > datetime.now(UTC) + timedelta(minutes=50)
        silent = eventually(lambda: _suppressed(why(duty, SOON, host)), "suppressed in why")
        assert [(one["kind"], one["reason"]) for one in silent["now"]["snoozes"]] == [("host", "CHG-7")]

        assert duty.vigilo.client.delete(f"hosts/{host.host_id}/snooze").status_code == 200
        duty.hears(lambda: duty.loudness(host), OPENED)
        assert duty.desk.told(host.host_id) == [("opened", EXPIRES)] * 2
        opened = duty.alert(host, SOON, "open")
        assert (opened["alert_id"], duty.course(opened)) == (held["alert_id"], ["suppressed", "opened"])
        duty.renewed(server, host)


def _suppressed(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if answer["now"]["decider"] == "suppressed" else None


def test_a_snoozed_rule_tells_nothing_while_others_do_and_once_at_the_end(duty: Duty) -> None:
    rule = f"rules/{duty.rules[SOON]['rule_id']}/snooze"
    with TlsServer(certificate(days=80)) as server:
        host = duty.watch(server, "prod")
        duty.vigilo.post(rule, {"for": "1d", "reason": "CHG-8"})
        (listed,) = duty.vigilo.get("snoozes", rule=duty.rules[SOON]["rule_id"]).json()["items"]
        assert (listed["running"], listed["reason"]) == (True, "CHG-8")
        faulty(duty, server, host)
        duty.alert(host, SOON, "suppressed")
        duty.hears(lambda: duty.loudness(host), (1, 1, 0, 0, 0))
        (told,) = duty.desk.bodies(host.host_id)
        assert told["data"]["rule"]["name"] == MONTH

        assert duty.vigilo.client.delete(rule).status_code == 204
        duty.hears(lambda: duty.loudness(host), OPENED)
        assert [one["data"]["rule"]["name"] for one in duty.desk.bodies(host.host_id)] == [MONTH, SOON]
        duty.renewed(server, host)


def test_pausing_closes_with_that_reason_and_resuming_scans_at_once(duty: Duty) -> None:
    with TlsServer(certificate(days=5)) as server:
        host = duty.watch(server, "prod")
        first = duty.alert(host, SOON, "open")
        duty.hears(lambda: duty.loudness(host), OPENED)
        duty.vigilo.post(f"hosts/{host.host_id}/pause", expect=200)
        closed = duty.alert(host, SOON, "closed")
        assert (closed["alert_id"], closed["close_reason"]) == (first["alert_id"], "host-paused")
        duty.hears(lambda: duty.loudness(host), OVER)
        assert [kind for kind, _ in duty.desk.told(host.host_id)] == ["opened", "opened", "closed", "closed"]
        assert why(duty, SOON, host)["now"]["host_status"] == "paused"
        assert duty.vigilo.client.post(f"hosts/{host.host_id}/scan").status_code == 409

        server.serving = certificate(days=80)
        duty.vigilo.post(f"hosts/{host.host_id}/resume", expect=200)
        newest = eventually(lambda: _scanned(duty, host, "resumed"), "scanned at once", seconds=10)
        assert newest["outcome"] == "ok"
        assert duty.loudness(host) == OVER


def _scanned(duty: Duty, host: Watched, reason: str) -> dict[str, Any] | None:
    newest = duty.vigilo.get(f"hosts/{host.host_id}/snapshots").json()["items"][0]
    return dict(newest) if newest["reason"] == reason else None


def test_why_names_what_decided_for_an_alert_and_for_none(duty: Duty) -> None:
    with TlsServer(certificate(days=5)) as server:
        host = duty.watch(server)
        alert = duty.alert(host, SOON, "open")
        told = duty.vigilo.get(f"alerts/{alert['alert_id']}/why").json()
        assert f"{host.where}, '{SOON}' version 2: open since" in told["sentence"]
        assert "certificate expires in 4 days" in told["sentence"]
        assert (told["now"]["decider"], told["now"]["answer"], told["alert"]["rule_version"]) == ("open", "true", 2)
        (step,) = told["transitions"]
        assert (step["kind"], step["cause"], step["decided_by"]["topic"]) == ("opened", "scan", "report-cards")

        none = why(duty, "Chain does not validate", host)
        assert (none["now"]["decider"], none["now"]["answer"], none["transitions"]) == ("answer", "false", [])
        assert f"{host.where}, 'Chain does not validate' version 1: no alert" in none["sentence"]
        assert "the chain validates" in none["sentence"]
        assert none["now"]["facts"]["fingerprint_sha256"] == alert["facts"]["fingerprint_sha256"]


def test_a_draft_is_tried_on_what_was_seen(duty: Duty) -> None:
    with TlsServer(certificate(days=5)) as server:
        host = duty.watch(server, "drafted")
        server.serving = certificate(days=80)
        duty.scan(host)
        draft = {"name": "Draft", "severity": "info", "scope": {"kind": "tag", "tag": "drafted"}}
        tried = {"days": 1, "rule": {**draft, "trigger": {"kind": EXPIRES, "days": 30}}}
        eventually(lambda: _totals(duty, tried)["closed"] == 1, "both cards are known to previews")
        always = {"days": 1, "rule": {**draft, "trigger": {"kind": EXPIRES, "days": 365}}}

        counted = {"hosts": 1, "fired": 1, "opened": 1, "closed": 1, "open_now": 0, "open_always": 0}
        assert {name: _totals(duty, tried)[name] for name in counted} == counted
        assert _totals(duty, always)["open_always"] == 1
        (shown,) = duty.vigilo.post("rules/preview", tried, expect=200)["hosts"]
        assert (shown["host"]["host_id"], shown["episodes"][0]["close_reason"]) == (host.host_id, "cleared")
        assert not [one for one in duty.vigilo.get("rules").json()["items"] if one["name"] == "Draft"]


def _totals(duty: Duty, asked: dict[str, Any]) -> dict[str, int]:
    return dict(duty.vigilo.post("rules/preview", asked, expect=200)["totals"])


def test_a_receiver_that_fails_gets_it_later_and_what_it_lost_when_a_span_is_sent_again(duty: Duty) -> None:
    began = datetime.now(UTC).isoformat()
    with background(receiving()) as receiver, TlsServer(certificate(days=80)) as server:
        receiver.answer = lambda _: web.Response(status=500)
        made = {"kind": "webhook", "name": "failing", "url": receiver.url, "routes": [{"tags": ["failing"]}]}
        channel = duty.vigilo.post("channels", made)["channel_id"]
        host = duty.watch(server, "failing")
        faulty(duty, server, host)
        waiting = _deliveries(duty, channel, "retrying", 2)
        assert {one["http_status"] for one in waiting} == {500}
        receiver.answer = lambda _: web.Response(status=204)
        delivered = _deliveries(duty, channel, "delivered", 2)
        assert _ids(delivered) == _ids(waiting) == set(receiver.ids())

        receiver.answer = lambda _: web.Response(status=410)
        server.serving = certificate(days=80)
        duty.scan(host)
        lost = _deliveries(duty, channel, "failed", 2)
        receiver.answer = lambda _: web.Response(status=204)
        heard = len(receiver.requests)
        edited = duty.vigilo.client.patch(f"channels/{channel}", json={"name": "mended"})
        assert edited.status_code == 200, edited.text
        duty.vigilo.post(f"channels/{channel}/redeliver", {"since": began}, expect=202)
        assert _ids(_deliveries(duty, channel, "delivered", 4)) == _ids(delivered) | _ids(lost)
        assert _since(receiver, heard) == sorted(_ids(lost))
        assert duty.vigilo.client.delete(f"channels/{channel}").status_code == 204


def _deliveries(duty: Duty, channel: str, status: str, count: int) -> list[dict[str, Any]]:
    def found() -> list[dict[str, Any]] | None:
        listed = duty.vigilo.get("deliveries", channel=channel, status=status).json()["items"]
        return listed if len(listed) == count else None

    return eventually(found, f"{count} {status}", seconds=40)


def _ids(deliveries: list[dict[str, Any]]) -> set[str]:
    return {one["delivery_id"] for one in deliveries}


def _since(receiver: Receiver, heard: int) -> list[str]:
    return sorted(one.webhook_id for one in receiver.requests[heard:])


@pytest.mark.parametrize("killed", [("alerter",), ("notifier",), ("alerter", "notifier")], ids="+".join)
def test_whatever_is_killed_between_fault_and_delivery_everybody_hears_once(
    duty: Duty, killed: tuple[str, ...]
) -> None:
    with TlsServer(certificate(days=80)) as server:
        host = duty.watch(server, "prod")
        for days, state, loudness in ((5, "open", OPENED), (80, "closed", OVER)):
            server.serving = certificate(days=days)
            with ExitStack() as until_told:
                if "notifier" in killed:
                    until_told.enter_context(duty.dying("notifier"))
                with duty.dying("alerter") if "alerter" in killed else nullcontext():
                    duty.scan(host)
                soon = duty.alert(host, SOON, state, seconds=60)
                duty.alert(host, MONTH, state, seconds=60)
            duty.hears(lambda: duty.loudness(host), loudness, seconds=90)
        assert {status for _, status, _ in duty.attempts(soon, 10)} == {"delivered"}
        assert [kind for kind, _ in duty.desk.told(host.host_id)] == ["opened", "opened", "closed", "closed"]
        assert len(duty.vigilo.alerts(host.host_id)) == 2
        eventually(duty.vigilo.ready, "ready again", seconds=60)


def test_a_notifier_killed_while_a_receiver_hangs_sends_again_under_the_same_id(duty: Duty) -> None:
    with background(receiving()) as receiver, TlsServer(certificate(days=5)) as server:
        receiver.answer = lambda _: None
        made = {"kind": "webhook", "name": "hanging", "url": receiver.url, "routes": [{"tags": ["hanging"]}]}
        channel = duty.vigilo.post("channels", made)["channel_id"]
        host = duty.watch(server, "hanging")
        soon = duty.alert(host, SOON, "open")
        eventually(lambda: len(receiver.ids()) == 2, "asked")
        # PagerDuty, mail, Alertmanager and the other webhook are through, and it is noted.
        duty.attempts(soon, 4)
        duty.vigilo.kill("notifier")
        receiver.answer = lambda _: web.Response(status=204)
        delivered = _deliveries(duty, channel, "delivered", 2)
        assert _ids(delivered) == set(receiver.ids())
        assert sorted(map([one.webhook_id for one in receiver.requests].count, receiver.ids())) == [2, 2]
        duty.hears(lambda: duty.loudness(host), (2, 0, 1, 1, 1))
        assert duty.vigilo.client.delete(f"channels/{channel}").status_code == 204
        eventually(duty.vigilo.ready, "ready again", seconds=60)


def command(duty: Duty, *words: str) -> list[str]:
    """The lines that `vigilo` prints on a terminal of the operator's."""
    running = duty.vigilo.running
    around = {**os.environ, "VIGILO_HOME": str(running.home), "VIGILO_PORT": str(running.port)}
    ended = subprocess.run(
        [sys.executable, "-m", "vigilo_cli.main", *words],
        env=around,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def test_the_command_line_lists_rules_hosts_and_alerts(duty: Duty) -> None:
    with TlsServer(certificate(days=5)) as server:
        host = duty.watch(server, "listed")
        alert = duty.alert(host, SOON, "open")
        heading, *rules = command(duty, "rules", "list")
        assert heading.split() == ["RULE", "TRIGGER", "HOSTS", "SEVERITY", "ENABLED", "SNOOZED", "UNTIL", "ID"]
        assert [one.split("  ")[0] for one in rules] == list(duty.rules)
        assert rules[1].split()[4:9] == [EXPIRES, "all", "critical", "yes", "-"]
        (watched,) = command(duty, "hosts", "list", "--tag", "listed")[1:]
        name, _, port = host.where.partition(":")
        assert watched.split() == [name, port, "1h", "active", "listed", "-", host.host_id]
        (line,) = [one for one in command(duty, "alerts", "list", "--host", host.where) if alert["alert_id"] in one]
        assert line.startswith("open   critical")
        assert f"{datetime.fromisoformat(alert['opened_at']):%Y-%m-%d %H:%M:%S} UTC" in line
        assert f"{host.where}: certificate expires in 4 days" in line

        assert command(duty, "alerts", "ack", alert["alert_id"], "--note", "on it") == []
        duty.alert(host, SOON, "acknowledged")
        (listed,) = json.loads("\n".join(command(duty, "alerts", "list", "--state", "acknowledged", "--json")))
        assert (listed["alert_id"], listed["acknowledged"]["note"]) == (alert["alert_id"], "on it")
