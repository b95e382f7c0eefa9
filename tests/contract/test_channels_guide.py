"""The messages shown in docs/guides/channels.md are what is really sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.notifier.channels import alertmanager, mail, pagerduty, slack, webhook
from tests.fakes.alerts import AT
from tests.fakes.tellings import DELIVERY, opened, told

GUIDE = Path(__file__).parents[2] / "docs/guides/channels.md"
PUBLIC = "https://vigilo.example.com"
SAMPLE = told(opened())


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def sample_webhook() -> str:
    return _json(webhook.render(SAMPLE, public_url=PUBLIC))


def sample_pagerduty() -> str:
    (sending,) = pagerduty.render(SAMPLE, public_url=PUBLIC, delivery_id=DELIVERY)
    return _json({"routing_key": "...", **sending.event})


def sample_alertmanager() -> str:
    return _json([alertmanager.render(SAMPLE, public_url=PUBLIC, now=AT)])


def sample_mail() -> str:
    made = mail.render(
        SAMPLE, public_url=PUBLIC, sender="Vigilo <vigilo@example.com>", to=["oncall@example.com"], delivery_id=DELIVERY
    )
    headers = "\n".join(
        f"{name}: {value}" for name, value in made.items() if name not in {"MIME-Version", "Content-Type"}
    )
    body = made.get_body(("plain",))
    assert body is not None
    return f"{headers}\n\n{body.get_content()}".strip()


def sample_slack() -> str:
    """A line for each text, fields with their label before them."""
    lines: list[str] = []
    for block in slack.render(SAMPLE, public_url=PUBLIC)["blocks"]:
        parts = [block["text"]] if "text" in block else block.get("fields", block.get("elements", []))
        lines += [part["text"].replace("\n", ": ") for part in parts]
    return "\n".join(lines)


SAMPLES = [sample_webhook, sample_slack, sample_pagerduty, sample_mail, sample_alertmanager]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.__name__)
def test_the_guide_shows_what_is_sent(sample: Any) -> None:
    assert f"```\n{sample()}\n```" in GUIDE.read_text(encoding="utf-8").replace("```json\n", "```\n")
