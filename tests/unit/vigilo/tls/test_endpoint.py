from __future__ import annotations

import pytest

from vigilo.tls.endpoint import Endpoint, InvalidEndpoint, parse_endpoint


@pytest.mark.parametrize(
    ("typed", "endpoint"),
    [
        ("example.com", Endpoint("example.com", 443)),
        ("Example.com:8443", Endpoint("example.com", 8443)),
        ("192.0.2.1:1", Endpoint("192.0.2.1", 1)),
        ("[::1]:65535", Endpoint("::1", 65535)),
        ("[::1]", Endpoint("::1", 443)),
        ("2001:db8::1", Endpoint("2001:db8::1", 443)),
    ],
)
def test_endpoints_as_people_type_them(typed: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(typed) == endpoint
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ":443",
        "a:",
        "a:0",
        "a:65536",
        "a:-1",
        "a:٣",
        "a:44x",
        "[::1]x",
        "[::1]:",
        "https://a",
        "a/b",
        "a b",
        "a:1:2",
    ],
)
def test_what_is_no_endpoint_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(InvalidEndpoint, match="allowed"):
        parse_endpoint(typed)
