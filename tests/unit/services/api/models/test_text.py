"""Text that people type: what is kept, what is refused, and that a refusal is safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from services.api.models import text
from services.api.models.hosts import HostPatch, HostToAdd


@pytest.mark.parametrize("good", ["prod", "external-facing", "größe", "a b", "team/payments", "क्‍ष"])
def test_tags_are_free(good: str) -> None:
    assert text.tag(f" {good} ") == good


@pytest.mark.parametrize("bad", ["", " ", "a,b", "x" * 65, "a\nb", "a\u202eb", "\u200bx", "a\x00"])
def test_what_is_no_tag(bad: str) -> None:
    with pytest.raises(PydanticCustomError):
        text.tag(bad)


@given(st.text())
def test_a_refusal_never_repeats_a_hidden_character(typed: str) -> None:
    for check in (text.hostname, text.line, text.tag, text.web_link, text.address_only):
        try:
            kept = check(typed)
        except PydanticCustomError as error:
            kept = str(error)
        hidden = {char for char in kept if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}}
        assert hidden <= {"\u200c", "\u200d"}, (check.__name__, kept)


@pytest.mark.parametrize(
    "bad", ["javascript:x", "//x", "https://", "https://a b/", "x", "https://[", "ftp://x/", "https://x/" + "y" * 2000]
)
def test_what_is_no_web_link(bad: str) -> None:
    with pytest.raises(PydanticCustomError):
        text.web_link(bad)


def test_notes_keep_their_lines_and_lose_nothing() -> None:
    assert text.lines("a\n\tb  ") == "a\n\tb  "
    with pytest.raises(PydanticCustomError):
        text.lines("a\rb")


def test_equal_tags_are_one() -> None:
    assert HostToAdd.model_validate({"hostname": "a.example", "tags": ["b", " b", "a"]}).tags == ("b", "a")


def test_a_patch_knows_what_was_sent() -> None:
    assert HostPatch.model_validate({"owner": None, "port": 1}).changes() == {"owner": None, "port": 1}
    assert HostPatch.model_validate({}).changes() == {}
