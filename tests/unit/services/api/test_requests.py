"""Headers and cursors of requests: entity tags, idempotency keys, Host, pages, problems."""

from __future__ import annotations

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.etags import ANY, check_version, etag, parse_if_match
from services.api.front import host_name
from services.api.idempotency import fingerprint, parse_key
from services.api.pagination import decode_cursor, encode_cursor
from services.api.problems import Problem, of_validation
from services.api.readiness import remembered
from vigilo.adapters.health import CheckResult


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, None),
        ("*", ANY),
        ('"3"', {"3"}),
        ('"3", "4"', {"3", "4"}),
        ('"3",', {"3"}),
        ("", set()),
        ('W/"3"', set()),
        ('W/"3","4"', {"4"}),
    ],
)
def test_if_match_is_compared_strongly(header: str | None, accepted: set[str] | None) -> None:
    assert parse_if_match(header) == (None if accepted is None else frozenset(accepted))


@pytest.mark.parametrize("header", ["3", '"3', "'3'", '"3";"4"'])
def test_what_is_no_entity_tag_is_a_400(header: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_if_match(header)
    assert refused.value.status == 400


def test_another_version_is_a_412_that_says_which_it_is() -> None:
    check_version(None, 3)
    check_version(parse_if_match(etag(3)), 3)
    with pytest.raises(Problem) as refused:
        check_version(parse_if_match(etag(2)), 3)
    assert (refused.value.status, refused.value.headers["ETag"]) == (412, '"3"')


@pytest.mark.parametrize(("header", "key"), [("abc", "abc"), ('"abc"', "abc"), ("  x  ", "x"), ("{}", "{}")])
def test_keys_with_and_without_quotes(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize("header", ["", '""', "a b", 'a"b', "é", "x" * 256, "a\\b"])
def test_bad_keys(header: str) -> None:
    with pytest.raises(Problem):
        parse_key(header)


def test_a_fingerprint_stands_for_method_path_and_body() -> None:
    prints = {fingerprint(m, p, b) for m in ("POST", "PATCH") for p in ("/a", "/b") for b in (b"", b"{}")}
    assert len(prints) == 8


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("LocalHost:8080", "localhost"),
        ("localhost.", "localhost"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
        ("a.b:c:d", "a.b"),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.integers(), st.uuids())
def test_a_cursor_comes_back_as_it_was(text: str, number: int, identity: UUID) -> None:
    assert decode_cursor(encode_cursor((text, number, identity)), (str, int, UUID)) == (text, number, identity)


def test_no_cursor_is_no_key() -> None:
    assert decode_cursor(None, (str,)) is None


def raw(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "é",
        raw("x"),
        raw("{}"),
        raw("[]"),
        raw('["a"]'),
        raw('["a", "1", "x"]'),
        raw('["a", true, "x"]'),
        raw('["a", 1, "not-a-uuid"]'),
        raw(f'["a\\u0000", 1, "{uuid4()}"]'),
        raw(f'["\\ud800", 1, "{uuid4()}"]'),
        raw("[" * 300),
    ],
)
def test_a_cursor_that_was_not_given_out_is_a_422(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, (str, int, UUID))
    assert refused.value.status == 422


def test_a_validation_error_names_field_location_problem_and_what_is_allowed() -> None:
    errors = [{"type": "greater_than_equal", "loc": ("body", "tags", 0), "msg": "m", "ctx": {"ge": 1}}]
    assert of_validation(errors).members["errors"] == [
        {"field": "tags.0", "location": "body", "problem": "m", "allowed": "at least 1"}
    ]


def test_hidden_characters_in_field_names_are_made_visible() -> None:
    errors = [{"type": "extra_forbidden", "loc": ("body", "a\u202eb\x07"), "msg": "m"}]
    assert of_validation(errors).members["errors"][0]["field"] == "a\\u202eb\\x07"


async def test_a_good_answer_is_remembered_and_a_bad_one_is_not() -> None:
    now, answers = [0.0], [False, True, False]

    async def check() -> CheckResult:
        return answers.pop(0), {}

    again = remembered(check, seconds=30, clock=lambda: now[0])
    assert [(await again())[0] for _ in range(4)] == [False, True, True, True]  # type: ignore[misc]
    now[0] = 31
    assert not (await again())[0]  # type: ignore[misc]
