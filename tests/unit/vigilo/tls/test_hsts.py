from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigilo.events.facts import HstsFacts, ProxyHeader
from vigilo.tls.hsts import Head, NotHttp, judge_head, read_head, request


def facts(*policies: str, status: int = 200) -> HstsFacts:
    return judge_head(Head(status, policies))


def test_the_request_names_us_and_the_host() -> None:
    text = request("a.test", 443, user_agent="Someone/1").decode()
    assert text.startswith("GET / HTTP/1.1\r\nHost: a.test\r\n")
    assert "User-Agent: Someone/1\r\n" in text
    assert text.endswith("\r\n\r\n")
    assert b"Host: a.test:8443\r\n" in request("a.test", 8443, user_agent="x")


@pytest.mark.parametrize(
    ("policy", "max_age", "subdomains", "preload"),
    [
        ("max-age=31536000", 31536000, False, False),
        ("max-age=63072000; includeSubDomains; preload", 63072000, True, True),
        ('MAX-AGE="15768000" ;INCLUDESUBDOMAINS', 15768000, True, False),
        (" ; max-age=0;; foo=bar; baz ;", 0, False, False),
        ("max-age=" + "9" * 5000, 10**18 - 1, False, False),
    ],
)
def test_policies(policy: str, max_age: int, subdomains: bool, preload: bool) -> None:
    seen = facts(policy)
    assert (seen.present, seen.max_age, seen.parse_error) == (True, max_age, None)
    assert (seen.include_subdomains, seen.preload) == (subdomains, preload)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("", "no max-age"),
        ("includeSubDomains", "no max-age"),
        ("max-age", "no max-age"),
        ("max-age=ten", "no number"),
        ("max-age=-1", "no number"),
        ("max-age=1; max-age=2", "twice"),
        ("max-age=1 includeSubDomains", "not separated"),
        ("max-age=1, max-age=2", "not separated"),
        ("=1", "without a name"),
        ('max-age="1', "no readable value"),
    ],
)
def test_headers_that_browsers_ignore(policy: str, words: str) -> None:
    seen = facts(policy)
    assert (seen.present, seen.max_age) == (True, None)
    assert words in (seen.parse_error or "")


def test_only_the_first_header_counts() -> None:
    assert facts("max-age=1", "max-age=2").max_age == 1


@pytest.mark.parametrize(("status", "present"), [(200, False), (204, False), (301, False), (404, None), (503, None)])
def test_only_good_answers_tell_that_there_is_none(status: int, present: bool | None) -> None:
    seen = facts(status=status)
    assert (seen.present, seen.status) == (present, status)
    if present is None:
        assert facts("max-age=1", status=status).present is None


ANSWER = b"HTTP/1.1 301 Moved\r\nServer: x\r\nstrict-transport-security:max-age=5 \r\nLocation: /\r\n\r\n"


def test_heads_are_read_however_they_are_cut() -> None:
    for answer in (ANSWER, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ANSWER, ANSWER.replace(b"\r\n", b"\n")):
        for cut in range(len(answer)):
            assert read_head(answer[:cut]) is None
        assert read_head(answer + b"<html>") == Head(301, ("max-age=5",), (ProxyHeader(name="server", value="x"),))


@pytest.mark.parametrize("data", [b"SSH-2.0", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\x00\x12\x04"])
def test_what_is_no_http_is_said_to_be_that(data: bytes) -> None:
    with pytest.raises(NotHttp):
        read_head(data)


@given(st.binary(max_size=400), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 100 \r\n\r\n"]))
def test_any_bytes_end_in_a_value(data: bytes, beginning: bytes) -> None:
    try:
        head = read_head(beginning + data)
    except NotHttp:
        return
    assert head is None or judge_head(head).status == head.status


@given(st.text(max_size=200) | st.text(alphabet='max-age=01;" \\includeSubDomains', max_size=80))
def test_any_policy_ends_in_facts(policy: str) -> None:
    assert facts(policy).present is True


def test_proxies_are_named_and_numbers_of_requests_are_not_kept() -> None:
    answer = b"HTTP/1.1 403 No\r\nServer: cdn\x1b[0m\r\nVia: 1.1 %s\r\nCF-RAY: 1a2b\r\nX-Other: y\r\n\r\n" % (
        b"v" * 200
    )
    head = read_head(answer)
    assert head is not None
    found = judge_head(head).proxy_headers
    assert [(one.name, len(one.value)) for one in found] == [("server", 10), ("via", 80), ("cf-ray", 0)]
    assert found[0].value.isprintable()
    many = read_head(b"HTTP/1.1 200 OK\r\n" + b"Via: x\r\n" * 50 + b"\r\n")
    assert many is not None
    assert len(judge_head(many).proxy_headers) == 10
