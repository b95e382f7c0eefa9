"""Every telling fits every channel, and no text in it does anything but be read."""

from __future__ import annotations

import email
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from services.notifier.channels import alertmanager, mail, pagerduty, slack, webhook
from services.notifier.channels.shrinking import encoded
from services.notifier.tellings import Telling
from tests.fakes import alertmanager as alertmanager_rules
from tests.fakes import pagerduty as pagerduty_rules
from tests.fakes import slack as slack_rules
from tests.fakes.alerts import AT
from tests.fakes.tellings import (
    DELIVERY,
    digest,
    hostile,
    hostile_tellings,
    notice,
    opened,
    sample,
    told,
    usual_tellings,
)
from vigilo.events.alerts import TransitionKind
from vigilo.events.text import visible

PUBLIC = "https://vigilo.acme.test"
KEY = "k" * 32
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYTHING = [*usual_tellings(), *hostile_tellings()]
TEXTS = st.text(st.characters(), max_size=300) | st.text("<>&*_`~|!@#:{}%\r\n\u202e\u200b\"'\\.-", max_size=300)


@st.composite
def tellings(draw: st.DrawFn) -> Telling:
    """Any telling, with one text in every place a text can be."""
    text = draw(TEXTS)
    kind = draw(st.sampled_from(TransitionKind))
    made: list[Telling] = [
        told(hostile(kind, text=text)),
        digest(draw(st.integers(2, 10**6)), text=text, lines=draw(st.integers(0, 20))),
        sample(text=text),
        notice(text=text),
    ]
    return draw(st.sampled_from(made))


def mailed(telling: Telling) -> EmailMessage:
    """The mail after a journey: written, and read again."""
    made = mail.render(
        telling, public_url=PUBLIC, sender="Vigilo <v@acme.test>", to=["a@b.test", "c@d.test"], delivery_id=DELIVERY
    )
    read = email.message_from_bytes(made.as_bytes(), policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read


def check_webhook(telling: Telling) -> None:
    """Under 20 kB, plain JSON, the three members of the standard."""
    body = webhook.encode_body(webhook.render(telling, public_url=PUBLIC))
    assert len(body) < webhook.BODY_MAX
    message = json.loads(body, parse_constant=_no_constants)
    headers = webhook.signed_headers(body, delivery_id=DELIVERY, secret=SECRET, at=datetime.now(UTC))
    assert Webhook(SECRET).verify(body, headers) == message
    assert set(message) == {"type", "timestamp", "data"}
    assert all(part.replace("_", "").isalnum() for part in message["type"].split("."))
    _assert_visible(message)


def check_slack(telling: Telling) -> None:
    """Within Slack's limits; nothing from outside is markup."""
    message = slack.render(telling, public_url=PUBLIC)
    assert slack_rules.faults_of(message) == []
    for kind, text in slack_rules.texts(message):
        ours = dict.fromkeys(f"<{url}|{name}>" for url, name in slack_rules.links(text)) if kind == "mrkdwn" else {}
        assert [one for one in slack_rules.control_sequences(text) if one not in ours] == []
        assert {name for _, name in slack_rules.links(text)} <= {
            "Alert",
            "Host",
            "Runbook",
            "Acknowledge or snooze",
            "All alerts",
            "Channels",
            "Alerts",
        }
    assert all(block["text"]["text"].startswith("<http") for block in message["blocks"] if _is_mrkdwn(block))
    _assert_visible(message, but_newlines=True)


def check_pagerduty(telling: Telling) -> None:
    """Within PagerDuty's schema and limits."""
    for sending in pagerduty.render(telling, public_url=PUBLIC, delivery_id=DELIVERY):
        body = encoded({"routing_key": KEY, **sending.event})
        judge = pagerduty_rules.change_faults_of if "change" in sending.path else pagerduty_rules.faults_of
        assert judge(body) == []
        _assert_visible(sending.event)


_HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "X-Vigilo-Alert",
    "X-Vigilo-Severity",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
}
_TAGS = {"html", "head", "meta", "title", "body", "table", "tr", "td", "th", "p", "strong", "h1", "ul", "li", "a"}


def check_mail(telling: Telling) -> None:
    """The headers are ours alone, the HTML has our elements alone, and no line is longer than RFC 5322 allows."""
    read = mailed(telling)
    assert set(read.keys()) <= _HEADERS
    assert [str(one) for one in read["To"].addresses] == ["a@b.test", "c@d.test"]
    _assert_visible(str(read["Subject"]))
    assert max(map(len, read.as_bytes().splitlines())) <= 998
    parts = [part for part in read.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    reader = _Elements()
    reader.feed(parts[1].get_content())
    assert reader.tags <= _TAGS
    assert reader.attributes <= {"lang", "charset", "style", "role", "cellspacing", "cellpadding", "scope", "href"}
    assert all(one.startswith("https://") for one in reader.hrefs)


def check_alertmanager(telling: Telling) -> None:
    """Labels and times as Alertmanager wants them."""
    alert = alertmanager.render(telling, public_url=PUBLIC, now=AT)
    assert alertmanager_rules.faults_of([alert]) == []
    _assert_visible(alert["labels"])


CHECKS = [check_webhook, check_slack, check_pagerduty, check_mail, check_alertmanager]


@pytest.mark.parametrize("telling", EVERYTHING, ids=lambda one: one.kind)
@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.__name__)
def test_every_telling_fits_every_channel(check: Any, telling: Telling) -> None:
    check(telling)


@settings(max_examples=60, deadline=None)
@given(telling=tellings())
def test_any_text_fits_every_channel(telling: Telling) -> None:
    for check in CHECKS:
        check(telling)


def test_every_channel_says_all_a_person_needs() -> None:
    change = opened()
    telling = told(change)
    needed = [
        "Shop team",
        "https://wiki.example/tls",
        f"{PUBLIC}/alerts/{change.alert_id}",
        f"{PUBLIC}/alerts/{change.alert_id}#snooze",
        "2026-11-29",
        "6.0",
        "ab" * 32,
        "Expires within a week",
    ]
    (event,) = pagerduty.render(telling, public_url=PUBLIC, delivery_id=DELIVERY)
    text, html = (part.get_content() for part in mailed(telling).walk() if not part.is_multipart())
    said = {
        "slack": json.dumps(slack.render(telling, public_url=PUBLIC), ensure_ascii=False),
        "pagerduty": json.dumps(event.event),
        "webhook": webhook.encode_body(webhook.render(telling, public_url=PUBLIC)).decode(),
        "alertmanager": json.dumps(alertmanager.render(telling, public_url=PUBLIC, now=AT)),
        "text": text,
        "html": html,
    }
    missing = {(form, one) for form, message in said.items() for one in needed if one not in message}
    assert missing == set()


def test_a_digest_shows_twenty_lines_and_counts_the_others() -> None:
    blocks = slack.render(digest(200), public_url=PUBLIC)["blocks"]
    lines = [line for block in blocks if "text" in block for line in block["text"]["text"].split("\n")]
    assert lines[0] == "🔴 CRITICAL 200 alerts opened: the rule Expires soon"
    assert lines[1] == "• h0.acme.test:443 (warning): certificate expires in 20 days"
    assert sum(line.startswith("•") for line in lines) == 20
    assert lines[-2:] == ["… and 180 more", f"<{PUBLIC}/alerts|All alerts>"]


def test_thousands_of_names_are_counted_and_the_link_leads_to_them() -> None:
    change = opened()
    names = tuple(f"host-{number}.shop.example" for number in range(100))
    change = change.model_copy(update={"facts": change.facts.model_copy(update={"names": names, "names_count": 5_000})})
    message = json.dumps(slack.render(told(change), public_url=PUBLIC))
    assert "host-0.shop.example" in message
    assert "more: see the host's page" in message
    data = webhook.render(told(change), public_url=PUBLIC)["data"]
    assert (data["names_count"], len(data["names"])) == (5_000, 100)
    assert data["link"] == f"{PUBLIC}/hosts/{change.host_id}"


def _is_mrkdwn(block: dict[str, Any]) -> bool:
    return isinstance(block.get("text"), dict) and block["text"]["type"] == "mrkdwn"


def _assert_visible(value: Any, *, but_newlines: bool = False) -> None:
    match value:
        case dict():
            for one in value.values():
                _assert_visible(one, but_newlines=but_newlines)
        case list():
            for one in value:
                _assert_visible(one, but_newlines=but_newlines)
        case str():
            plain = value.replace("\n", "") if but_newlines else value
            assert visible(plain, limit=10**6) == plain


def _no_constants(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


class _Elements(HTMLParser):
    """Which elements and attributes a page really has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.hrefs += [value or "" for name, value in attrs if name == "href"]
