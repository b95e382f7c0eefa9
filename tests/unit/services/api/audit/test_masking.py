"""Secrets are taken out by name and by form; ordinary text stays."""

from __future__ import annotations

from typing import Any

import pytest

from services.api.audit.masking import MASK, TEXT_LIMIT, masked


@pytest.mark.parametrize(
    "name",
    ["secret", "client_secret", "password", "password_hash", "token", "access_token", "Authorization", "private_key",
     "routing_key", "cookie", "credentials", "ciphertext", "api-key", "token_sha256"],
)  # fmt: skip
def test_fields_named_like_secrets_are_masked(name: str) -> None:
    assert masked({"deep": [{name: "x"}], name: {"a": 1}}) == {"deep": [{name: MASK}], name: MASK}


@pytest.mark.parametrize("name", ["token_id", "tags", "hostname", "key_id", "fingerprint_sha256", "keys", "notes"])
def test_other_fields_stay(name: str) -> None:
    assert masked({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see vgl_" + "a" * 43 + " there", f"see {MASK} there"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", MASK),
        ("https://bob:hunter2@example.com/x", f"https://{MASK}@example.com/x"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA", MASK),
        ("Authorization: Bearer abcdefghijklmnopqrstuv", f"Authorization: {MASK}"),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", MASK),
        ("-----BEGIN PRIVATE KEY-----\nAAAA, cut off", MASK),
        ("mail bob@example.com", "mail bob@example.com"),
    ],
)
def test_text_in_the_form_of_a_secret_is_masked_wherever_it_is(text: str, shown: str) -> None:
    assert masked({"notes": [text]}) == {"notes": [shown]}


def test_an_absent_secret_is_told_as_absent() -> None:
    assert masked({"secret": None}) == {"secret": None}


def test_long_text_is_cut_and_still_told_apart() -> None:
    one, other = (masked("x" * 5_000 + end) for end in "ab")
    assert one[:TEXT_LIMIT] == other[:TEXT_LIMIT] and one != other
    assert len(one) < TEXT_LIMIT + 120


def test_long_lists_are_cut() -> None:
    assert masked(list(range(205)))[-2:] == [199, "... and 5 more"]


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "x", [], {}])
def test_plain_values_come_through(value: Any) -> None:
    assert masked(value) == value
