"""What becomes of a channel, and of the secret that is sealed for it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from services.api.commands import channels as decide
from services.api.commands import destinations
from services.api.models.channel_kinds import ChannelToAdd
from services.api.models.channels import ChannelPatch
from services.api.problems import Problem, of_validation
from vigilo.adapters.channel_credentials import (
    CREDENTIALS,
    AlertmanagerCredentials,
    Credentials,
    PagerDutyCredentials,
    SlackCredentials,
    WebhookCredentials,
)
from vigilo.adapters.egress import DeliveryEgress, parse_grants
from vigilo.events.rules import AlertRule, Channel, RecordStatus, Route, Severity

AT = datetime(2026, 11, 23, tzinfo=UTC)
FRESH = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_bmV3IHNlY3JldCBvZiAzMiBieXRlcyBmb3IgdGVzdHMu"


TO_ADD: TypeAdapter[ChannelToAdd] = TypeAdapter(ChannelToAdd)


def added(**fields: object) -> tuple[Channel, Credentials]:
    own = {} if "kind" in fields else {"kind": "webhook", "url": "https://Hooks.Example/path"}
    wanted = TO_ADD.validate_python({"name": "c", **own, **fields})
    return decide.add(wanted, FRESH, workspace_id=UUID(int=1), channel_id=UUID(int=2), at=AT)


def signing_secret(kept: Credentials) -> str:
    assert isinstance(kept, WebhookCredentials)
    return kept.secret


def test_a_secret_is_made_unless_one_is_given() -> None:
    assert added()[1] == WebhookCredentials(url="https://hooks.example/path", secret=FRESH)
    assert signing_secret(added(secret=OTHER)[1]) == OTHER


def test_the_record_tells_only_where_it_leads() -> None:
    text = added()[0].model_dump_json()
    assert "https://hooks.example/…" in text
    assert "path" not in text and "whsec" not in text


@pytest.mark.parametrize(
    ("patch", "version"),
    [
        ({}, 1),
        ({"name": "c", "url": "https://hooks.example/path"}, 1),
        ({"name": "d"}, 2),
        ({"enabled": False}, 2),
        ({"url": "https://hooks.example/other"}, 2),
        ({"secret": OTHER}, 2),
    ],
)
def test_whatever_changes_makes_a_version_the_secret_too(patch: dict[str, object], version: int) -> None:
    channel, kept = added()
    changed, renewed = decide.edit(channel, kept, ChannelPatch.model_validate(patch), at=AT)
    assert changed.version == version
    assert (changed is channel) == (version == 1)
    assert (
        kept.model_dump() | {name: patch[name] for name in ("url", "secret") if name in patch} == renewed.model_dump()
    )


def test_a_channel_that_rules_send_to_cannot_go() -> None:
    rule = AlertRule.model_validate(
        {
            "rule_id": UUID(int=3),
            "workspace_id": UUID(int=1),
            "version": 1,
            "status": "active",
            "name": "r",
            "trigger": {"kind": "chain-validation-fails"},
            "scope": {"kind": "all"},
            "severity": "info",
            "created_at": AT,
            "updated_at": AT,
        }
    )
    with pytest.raises(Problem) as refused:
        decide.delete(added()[0], [rule], at=AT)
    assert refused.value.members["rules"] == [{"rule_id": str(UUID(int=3)), "name": "r"}]
    assert decide.delete(added()[0], [], at=AT).status is RecordStatus.DELETED


def test_a_disabled_channel_is_not_tested() -> None:
    with pytest.raises(Problem):
        decide.test(added(enabled=False)[0], command_id=UUID(int=4), by="me", at=AT)


SLACK = {"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/secret"}
PAGERDUTY = {"kind": "pagerduty", "routing_key": "0123456789abcdef0123456789abcdEF"}
EMAIL = {"kind": "email", "to": ["oncall@example.com", "ann@example.org"]}
ALERTMANAGER = {"kind": "alertmanager", "url": "https://am.example/prefix/", "username": "u", "password": "secret"}


@pytest.mark.parametrize(
    ("body", "destination"),
    [
        (SLACK, "https://hooks.slack.com/…"),
        (PAGERDUTY, "events.pagerduty.com (us)"),
        ({**PAGERDUTY, "region": "eu"}, "events.eu.pagerduty.com (eu)"),
        ({**PAGERDUTY, "url": "https://relay.example/v2"}, "https://relay.example/… (us)"),
        (EMAIL, "o***@example.com +1"),
        ({**EMAIL, "to": ["oncall@EXAMPLE.com"]}, "o***@example.com"),
        (ALERTMANAGER, "https://am.example/…"),
        ({"kind": "alertmanager", "url": "https://am.example"}, "https://am.example"),
    ],
)
def test_every_kind_shows_where_it_leads_and_nothing_else(body: dict[str, object], destination: str) -> None:
    channel, kept = added(**body)
    assert (channel.kind.value, channel.destination) == (body["kind"], destination)
    assert type(kept) is CREDENTIALS[channel.kind]
    text = channel.model_dump_json()
    for secret in ("secret", "0123456789abcdef", "oncall", "ann@"):
        assert secret not in text
    assert "secret" not in repr(kept).replace("bearer_token", "") or isinstance(kept, WebhookCredentials)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "fax"}, "kind"),
        ({"kind": None}, "kind"),
        ({**SLACK, "secret": "x"}, "secret"),
        ({"kind": "slack"}, "url"),
        ({**PAGERDUTY, "routing_key": "short"}, "routing_key"),
        ({**PAGERDUTY, "routing_key": "!" * 32}, "routing_key"),
        ({**PAGERDUTY, "region": "mars"}, "region"),
        ({**EMAIL, "to": []}, "to"),
        ({**EMAIL, "to": ["oncall"]}, "to.0"),
        ({**EMAIL, "to": ["a@example.com", "Ann <ann@example.com>"]}, "to.1"),
        ({**EMAIL, "to": ["a@example.com\r\nBcc: b@example.com"]}, "to.0"),
        ({**EMAIL, "to": ["a@localhost"]}, "to.0"),
        ({**ALERTMANAGER, "password": None}, "body"),
        ({**ALERTMANAGER, "bearer_token": "t"}, "body"),
        ({**ALERTMANAGER, "username": "a:b"}, "body"),
        ({**ALERTMANAGER, "url": "https://am.example/?x=1"}, "url"),
        ({**SLACK, "routes": [{"severity": ["critical"]}]}, "routes.0.severity"),
        ({**SLACK, "routes": [{}] * 21}, "routes"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_no_secret_is_repeated(body: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        added(**body)
    found = [{**one, "loc": ("body", *one["loc"])} for one in wrong.value.errors()]
    problem = of_validation(found, {"name": "c", **body})
    errors = problem.members["errors"]
    assert [error["field"] for error in errors] == [field]
    assert errors[0]["problem"] and "openapi.json" not in errors[0]["allowed"]


@pytest.mark.parametrize(
    ("body", "patch", "field"),
    [
        (SLACK, {"routing_key": "x"}, "routing_key"),
        (SLACK, {"url": "no"}, "url"),
        (PAGERDUTY, {"routing_key": "x"}, "routing_key"),
        (EMAIL, {"to": ["x"]}, "to.0"),
        (EMAIL, {"url": "https://x.example"}, "url"),
        (ALERTMANAGER, {"bearer_token": "t"}, "body"),
    ],
)
def test_a_patch_is_judged_by_the_channels_kind(body: dict[str, object], patch: dict[str, object], field: str) -> None:
    channel, kept = added(**body)
    with pytest.raises(Problem) as refused:
        decide.edit(channel, kept, ChannelPatch.model_validate(patch), at=AT)
    assert [error["field"] for error in refused.value.members["errors"]] == [field]


def test_a_patch_replaces_one_way_in_by_another_and_a_route() -> None:
    channel, kept = added(**ALERTMANAGER)
    patch = {"username": None, "password": None, "bearer_token": "t", "routes": [{"severities": ["critical"]}]}
    changed, renewed = decide.edit(channel, kept, ChannelPatch.model_validate(patch), at=AT)
    assert (changed.version, changed.routes) == (2, (Route(severities=(Severity.CRITICAL,)),))
    assert decide.renewed(kept, renewed) == ["username", "password", "bearer_token"]
    assert decide.edit(changed, renewed, ChannelPatch.model_validate(patch), at=AT) == (changed, renewed)


GRANTED = DeliveryEgress(parse_grants(["127.0.0.1/32:9999"]))


@pytest.mark.parametrize(
    ("kept", "egress", "field"),
    [
        (WebhookCredentials(url="https://10.0.0.1/", secret=FRESH), DeliveryEgress(), "url"),
        (SlackCredentials(url="https://hooks.slack.com/services/x"), DeliveryEgress(), None),
        (SlackCredentials(url="https://hooks.slack.com/other/x"), DeliveryEgress(), "url"),
        (SlackCredentials(url="https://hooks.slack.com:444/services/x"), DeliveryEgress(), "url"),
        (SlackCredentials(url="https://hooks.slack.com.evil.example/services/x"), DeliveryEgress(), "url"),
        (SlackCredentials(url="https://9.9.9.9/services/x"), DeliveryEgress(), "url"),
        (SlackCredentials(url="http://127.0.0.1:9999/services/x"), GRANTED, None),
        (SlackCredentials(url="https://127.0.0.1:9998/services/x"), GRANTED, "url"),
        (PagerDutyCredentials(routing_key="k"), DeliveryEgress(), None),
        (PagerDutyCredentials(routing_key="k", url="https://10.0.0.1/"), DeliveryEgress(), "url"),
        (AlertmanagerCredentials(url="http://127.0.0.1:9999/"), GRANTED, None),
        (AlertmanagerCredentials(url="http://am.example/"), DeliveryEgress(), "url"),
    ],
)
def test_where_a_channel_may_lead(kept: Credentials, egress: DeliveryEgress, field: str | None) -> None:
    try:
        destinations.check(kept, egress, smtp_host=None)
    except Problem as refused:
        assert refused.status == 422
        assert [error["field"] for error in refused.members["errors"]] == [field]
    else:
        assert field is None


def test_no_e_mail_without_the_operators_mail_server() -> None:
    kept = added(**EMAIL)[1]
    with pytest.raises(Problem) as refused:
        destinations.check(kept, DeliveryEgress(), smtp_host=None)
    assert "VIGILO_SMTP_HOST" in refused.value.members["errors"][0]["problem"]
    destinations.check(kept, DeliveryEgress(), smtp_host="mail.example.com")
