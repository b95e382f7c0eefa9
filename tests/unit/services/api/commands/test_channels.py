"""What becomes of a channel, and of the secret that is sealed for it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.api.commands import channels as decide
from services.api.models.channels import ChannelPatch, ChannelToAdd
from services.api.problems import Problem
from vigilo.adapters.egress import DeliveryEgress
from vigilo.adapters.secrets import WebhookCredentials
from vigilo.events.rules import AlertRule, Channel, RecordStatus

AT = datetime(2026, 11, 23, tzinfo=UTC)
FRESH = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_bmV3IHNlY3JldCBvZiAzMiBieXRlcyBmb3IgdGVzdHMu"


def added(**fields: object) -> tuple[Channel, WebhookCredentials]:
    body = {"kind": "webhook", "name": "c", "url": "https://Hooks.Example/path", **fields}
    wanted = ChannelToAdd.model_validate(body)
    return decide.add(wanted, FRESH, workspace_id=UUID(int=1), channel_id=UUID(int=2), at=AT)


def test_a_secret_is_made_unless_one_is_given() -> None:
    assert added()[1] == WebhookCredentials(url="https://hooks.example/path", secret=FRESH)
    assert added(secret=OTHER)[1].secret == OTHER


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
    assert renewed.url == patch.get("url", kept.url) and renewed.secret == patch.get("secret", kept.secret)


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


def test_an_address_that_is_not_allowed_is_a_422_on_url() -> None:
    with pytest.raises(Problem) as refused:
        decide.check(WebhookCredentials(url="https://10.0.0.1/", secret=FRESH), DeliveryEgress())
    assert refused.value.status == 422
    assert refused.value.members["errors"][0]["field"] == "url"
