"""The alerter as a process: cards, rules, time and restarts."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.fakes.service_lab import ServiceLab
from tests.integration.alerter.tenant import Tenant, now
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, CloseReason, TransitionKind
from vigilo.events.cards import TrustReason, Verdict
from vigilo.events.hosts import Host, HostStatus
from vigilo.events.rules import RecordStatus, TaggedHosts
from vigilo.events.triggers import CertificateChanged, ChainValidationFails, ExpiresInLessThan

pytestmark = pytest.mark.kafka

OPENED, CLOSED, ACKNOWLEDGED = TransitionKind.OPENED, TransitionKind.CLOSED, TransitionKind.ACKNOWLEDGED
PENDING, CLEARING, NOTICE = TransitionKind.PENDING, TransitionKind.CLEARING, TransitionKind.NOTICE


def test_a_card_opens_the_alert_and_the_replaced_certificate_closes_it(running: ServiceLab) -> None:
    tenant = Tenant(running)
    rule = tenant.rule()
    host = tenant.host()
    tenant.card(host, days=12)
    (opened,) = tenant.said(1, OPENED)
    alert = opened.event
    assert (opened.key, opened.ce_id) == (str(host.host_id), str(alert.transition_id))
    assert (alert.rule.rule_id, alert.n) == (rule.rule_id, 1)
    assert alert.alert_id == ids.alert_id(rule.rule_id, host.host_id, alert.decided_by.ce_id)
    tenant.acknowledge(alert, "renewing today")
    (seen,) = tenant.said(1, ACKNOWLEDGED)
    assert (seen.event.note, seen.event.n) == ("renewing today", 2)
    tenant.card(host, days=89)
    (closed,) = tenant.said(1, CLOSED)
    assert (closed.event.alert_id, closed.event.n) == (alert.alert_id, 3)
    assert closed.event.close_reason is CloseReason.CLEARED


def test_a_rule_created_over_known_hosts_opens_their_alerts_and_closes_them_with_itself(running: ServiceLab) -> None:
    tenant = Tenant(running)
    hosts = [tenant.host(hostname=f"h{number}.example") for number in range(5)]
    other = tenant.host(hostname="healthy.example")
    for host in hosts:
        tenant.card(host, days=5)
    tenant.card(other, days=80)
    marker = tenant.rule(trigger=ExpiresInLessThan(days=6))
    opened = tenant.said(5, OPENED)
    assert {one.event.host_id for one in opened} == {host.host_id for host in hosts}
    tenant.rule(of=marker, name="another name")
    tenant.rule(of=marker, version=3, status=RecordStatus.DELETED)
    closed = tenant.said(5, CLOSED)
    assert {one.event.close_reason for one in closed} == {CloseReason.RULE_DELETED}
    assert {one.event.alert_id for one in closed} == {one.event.alert_id for one in opened}
    assert len(tenant.all_said()) == 10


def test_chain_failures_open_with_the_reason(running: ServiceLab) -> None:
    tenant = Tenant(running)
    tenant.rule(trigger=ChainValidationFails())
    host = tenant.host()
    tenant.card(host, days=80, chain_valid=Verdict.NO, chain_reason=TrustReason.INCOMPLETE)
    (opened,) = tenant.said(1, OPENED)
    assert opened.event.facts.chain_reason is TrustReason.INCOMPLETE
    tenant.card(host, days=None)
    tenant.card(host, days=80)
    (closed,) = tenant.said(1, CLOSED)
    assert closed.event.facts.outcome == "ok"


def test_a_certificate_change_is_told_once_by_the_rules_that_ask_for_it(running: ServiceLab) -> None:
    tenant = Tenant(running)
    rule = tenant.rule(trigger=CertificateChanged(which="any"))
    tenant.rule(trigger=CertificateChanged())
    host = tenant.host()
    tenant.card(host, days=80)
    change = tenant.change(host)
    (told,) = tenant.said(1, NOTICE)
    assert (told.event.rule.rule_id, told.event.facts.scan_id) == (rule.rule_id, change.scan_id)
    assert told.event.decided_by.topic == "certificate-changes"
    tenant.change(host)
    assert len({one.event.alert_id for one in tenant.said(2, NOTICE)}) == 2


def test_closing_in_two_steps_asks_for_scans_in_between(running: ServiceLab) -> None:
    tenant = Tenant(running)
    tenant.rule(trigger=ChainValidationFails(), open_after=2, close_after=2)
    host = tenant.host()
    for verdict in (Verdict.NO, Verdict.NO, Verdict.YES, Verdict.YES):
        tenant.card(host, days=80, chain_valid=verdict)
    tenant.said(1, CLOSED)
    story = [(one.kind, one.n, one.scans_to_confirm) for one in tenant.all_said()]
    assert story == [(PENDING, 1, 1), (OPENED, 2, 0), (CLEARING, 3, 1), (CLOSED, 4, 0)]


def test_pausing_and_tags_close_and_coming_back_opens_a_new_alert(running: ServiceLab) -> None:
    tenant = Tenant(running)
    tenant.rule(scope=TaggedHosts(tag="edge"))
    host = tenant.host(tags=("edge",))
    tenant.card(host)
    tenant.said(1, OPENED)
    paused = tenant.host(of=host, status=HostStatus.PAUSED)
    tenant.said(1, CLOSED)
    resumed = tenant.host(of=paused, status=HostStatus.ACTIVE)
    tenant.card(resumed)
    tenant.said(2, OPENED)
    tenant.host(of=resumed, tags=())
    reasons = [one.event.close_reason for one in tenant.said(2, CLOSED)]
    assert reasons == [CloseReason.HOST_PAUSED, CloseReason.LEFT_SCOPE]


def test_a_threshold_crossed_by_time_alone_is_said_within_seconds(running: ServiceLab) -> None:
    tenant = Tenant(running)
    rule = tenant.rule(trigger=ExpiresInLessThan(days=30))
    host = tenant.host()
    tenant.card(host, days=30 + 3 / 86_400)
    crossing = now() + timedelta(seconds=3)
    (opened,) = tenant.said(1, OPENED)
    assert (opened.event.cause, opened.event.rule.rule_id) == ("time", rule.rule_id)
    assert opened.event.decided_by.topic == "alerter-wakeups"
    assert crossing - timedelta(seconds=1) < opened.event.at < crossing + timedelta(seconds=5)


@pytest.mark.slow
def test_rules_made_while_the_alerter_was_away_are_judged_when_it_is_back(lab: ServiceLab) -> None:
    tenant = Tenant(lab)
    alerter = lab.start("alerter")
    first = tenant.rule(trigger=ExpiresInLessThan(days=40))
    host = tenant.host()
    tenant.card(host)
    (opened,) = tenant.said(1, OPENED)
    assert alerter.stop() == 0
    tenant.rule(of=first, status=RecordStatus.DELETED)
    tenant.rule(trigger=ExpiresInLessThan(days=20))
    lab.start("alerter")
    tenant.said(2, OPENED)
    (closed,) = tenant.said(1, CLOSED)
    assert closed.event.alert_id == opened.event.alert_id
    assert len(tenant.all_said()) == 3


@pytest.mark.slow
def test_sigkill_loses_and_doubles_no_transition(lab: ServiceLab) -> None:
    """Each round opens or closes every host's alert; the alerter is killed while it works."""
    tenant = Tenant(lab)
    alerter = lab.start("alerter")
    tenant.rule()
    hosts: list[Host] = [tenant.host(hostname=f"h{number}.example") for number in range(60)]
    for number in range(1, 7):
        for host in hosts:
            tenant.card(host, days=12 if number % 2 else 80)
        if number % 3 == 0:
            rule_edit = tenant.rule(trigger=ChainValidationFails(), name=f"noise {number}")
            assert rule_edit.version == 1
        tenant.said(60 * (number - 1) + 10)
        alerter.kill()
        alerter = lab.start("alerter")
        tenant.said(60 * number)
    assert_each_once(tenant.all_said(), hosts)


def assert_each_once(transitions: list[AlertTransition], hosts: list[Host]) -> None:
    """Three alerts per host, each opened once and closed once; what was emitted twice is the same, byte for byte."""
    by_id: dict[object, AlertTransition] = {}
    for one in transitions:
        assert by_id.setdefault(one.transition_id, one) == one
    stories = Counter((one.host_id, one.episode, one.n, one.kind) for one in by_id.values())
    expected = {
        (host.host_id, episode, n, kind): 1
        for host in hosts
        for episode in (1, 2, 3)
        for n, kind in ((1, OPENED), (2, CLOSED))
    }
    assert stories == expected
