"""Secrets at rest: sealed, bound to their place, replaceable keys."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest
from pydantic import SecretStr

from vigilo.adapters.channel_credentials import WebhookCredentials
from vigilo.adapters.secrets import (
    BadKeys,
    CannotOpen,
    Sealed,
    SecretBox,
    SecretSettings,
    channel_place,
    new_key,
    parse_keys,
)

WORKSPACE = UUID(int=1)
CHANNEL = UUID(int=2)
PLACE = channel_place(WORKSPACE, CHANNEL)


def box(*ids: str) -> SecretBox:
    return SecretBox({key_id: key_id.encode().ljust(32, b"k") for key_id in ids})


def test_what_was_sealed_is_opened_at_its_place() -> None:
    sealed = box("a").seal(b"whsec_x", place=PLACE)
    assert sealed.key_id == "a"
    assert b"whsec_x" not in sealed.ciphertext
    assert box("a").open(sealed, place=PLACE) == b"whsec_x"


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert box("a").seal(b"x", place=PLACE) != box("a").seal(b"x", place=PLACE)


def test_a_row_moved_to_another_workspace_or_channel_stays_shut() -> None:
    sealed = box("a").seal(b"x", place=PLACE)
    for place in (channel_place(WORKSPACE, WORKSPACE), channel_place(CHANNEL, CHANNEL)):
        with pytest.raises(CannotOpen):
            box("a").open(sealed, place=place)


@pytest.mark.parametrize(
    "spoil", [lambda c: c[:-1], lambda c: c[:5], lambda c: bytes([c[0] ^ 1]) + c[1:], lambda c: b""]
)
def test_an_altered_secret_stays_shut(spoil: object) -> None:
    sealed = box("a").seal(b"x", place=PLACE)
    assert callable(spoil)
    with pytest.raises(CannotOpen):
        box("a").open(Sealed("a", spoil(sealed.ciphertext)), place=PLACE)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    old = box("old").seal(b"x", place=PLACE)
    both = box("new", "old")
    assert both.open(old, place=PLACE) == b"x"
    assert both.seal(b"x", place=PLACE).key_id == "new"
    with pytest.raises(CannotOpen, match="'old'"):
        box("new").open(old, place=PLACE)


def test_keys_are_read_in_order_from_commas_and_lines() -> None:
    text = f"{new_key('k2')},{new_key('k1')}\n{new_key('k0')}\n"
    assert list(parse_keys(text)) == ["k2", "k1", "k0"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "entry 1"),
        ("nocolon", "entry 1"),
        ("a b:c", "entry 1"),
        ("a:!!!", "not base64"),
        ("a:" + base64.b64encode(b"short").decode(), "5 bytes"),
    ],
)
def test_bad_keys_are_refused_without_showing_them(text: str, complaint: str) -> None:
    with pytest.raises(BadKeys, match=complaint):
        parse_keys(text)


def test_an_id_may_come_once() -> None:
    with pytest.raises(BadKeys, match="twice"):
        parse_keys(f"{new_key('a')},{new_key('a')}")


def test_settings_make_a_box() -> None:
    settings = SecretSettings(secret_keys=SecretStr(new_key("a")))
    assert settings.box().seal(b"x", place=PLACE).key_id == "a"


def test_credentials_do_not_show_in_a_repr() -> None:
    assert "hooks" not in repr(WebhookCredentials(url="https://hooks.example/secret", secret="whsec_abc"))
