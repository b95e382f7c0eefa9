"""The webhook's body and signature, judged by the reference library."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notifier.channels.webhook import alert_message, encode_body, sample_message, signed_headers
from tests.fakes.alerts import transition
from vigilo.events.alerts import TransitionKind

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DELIVERY = UUID("0198f2aa-0000-7000-8000-000000000001")


def test_the_body_names_what_a_person_needs() -> None:
    opened = transition(TransitionKind.OPENED)
    message = alert_message(opened, public_url="https://vigilo.acme.test/")
    assert message["type"] == "alert.opened"
    data = message["data"]
    assert data["link"] == f"https://vigilo.acme.test/hosts/{opened.host_id}"
    assert data["summary"] == opened.summary
    assert data["severity"] == opened.rule.severity
    assert data["facts"]["fingerprint_sha256"] == opened.facts.fingerprint_sha256


def test_the_same_transition_gives_the_same_bytes() -> None:
    opened = transition(TransitionKind.OPENED)
    first = encode_body(alert_message(opened, public_url="http://x"))
    assert first == encode_body(alert_message(opened.model_copy(), public_url="http://x"))
    assert len(first) < 20_000


def test_the_reference_library_accepts_the_signature() -> None:
    body = encode_body(sample_message(channel="ops", by="ada", at=datetime.now(UTC)))
    headers = signed_headers(body, delivery_id=DELIVERY, secret=SECRET, at=datetime.now(UTC))
    assert headers["webhook-id"] == str(DELIVERY)
    assert Webhook(SECRET).verify(body, headers) == json.loads(body)


def test_a_changed_body_is_refused() -> None:
    body = encode_body(sample_message(channel="ops", by="ada", at=datetime.now(UTC)))
    headers = signed_headers(body, delivery_id=DELIVERY, secret=SECRET, at=datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"ops", b"oops"), headers)
