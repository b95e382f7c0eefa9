"""Addresses of webhooks."""

from __future__ import annotations

import pytest

from services.api.webhooks import BadWebhookUrl, check_egress, check_url, shown_destination
from vigilo.adapters.egress import DeliveryEgress, parse_grants, parse_listeners


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://Hooks.Example", "https://hooks.example/"),
        ("https://hooks.example:443/a?b=c", "https://hooks.example/a?b=c"),
        ("https://hooks.example.:8443/", "https://hooks.example:8443/"),
        ("http://127.0.0.1:9999/x", "http://127.0.0.1:9999/x"),
        ("https://[2A00:1450:0:0:0:0:0:1]/x", "https://[2a00:1450::1]/x"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert check_url(typed) == kept
    assert check_url(kept) == kept


ALLOWED = DeliveryEgress(parse_grants(["127.0.0.1/32:9999", "10.0.0.0/8:80"]), parse_listeners(["10.0.0.1:80"]))


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/",
        "https://9.9.9.9/",
        "http://127.0.0.1:9999/",
        "http://localhost:9999/",
        "http://a.example/",
    ],
)
def test_public_https_and_what_is_granted_passes(url: str) -> None:
    check_egress(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.2/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://x.localhost/",
        "http://9.9.9.9/",
        "http://10.0.0.1/",
        "http://a.example:81/",
        "https://[::ffff:10.0.0.2]/",
        "https://169.254.169.254/",
    ],
)
def test_what_would_be_refused_at_every_attempt_is_refused_at_once(url: str) -> None:
    with pytest.raises(BadWebhookUrl):
        check_egress(check_url(url), ALLOWED)


def test_nothing_unencrypted_without_a_grant() -> None:
    with pytest.raises(BadWebhookUrl, match="not encrypted"):
        check_egress("http://a.example/", DeliveryEgress())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/", "https://a.example"),
        ("https://a.example:8443/T000/B000/key", "https://a.example:8443/…"),
        ("https://a.example/?token=x", "https://a.example/…"),
    ],
)
def test_what_is_shown_holds_no_secret(url: str, shown: str) -> None:
    assert shown_destination(url) == shown
