"""HSTS is asked for by name, where HTTP is spoken, on one more connection, and never at the cost of the scan."""

from __future__ import annotations

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import https_like_port
from tests.fakes.starttls_server import StarttlsServer
from tests.fakes.tls_server import Serving
from vigilo.events.scans import Outcome, Snapshot

OK = b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n\r\n<html>"


async def scan(tools: Tools, server: StarttlsServer, hostname: str = "shop.test") -> Snapshot:
    snapshot = await scan_target(light_request(hostname, server.port, address="127.0.0.1"), tools)
    await tools.close()
    assert (snapshot.outcome, snapshot.chain_count) == (Outcome.OK, 2)
    return snapshot


@pytest.fixture
def serving(authority: pki.Authority) -> Serving:
    return Serving(authority.leaf("shop.test"), alpn=[b"h2", b"http/1.1"])


async def test_a_policy_is_read(tools: Tools, serving: Serving) -> None:
    with StarttlsServer(serving, answer=OK, port=https_like_port()) as server:
        snapshot = await scan(tools, server)
        assert snapshot.alpn == "h2"
        assert snapshot.hsts is not None
        assert (snapshot.hsts.present, snapshot.hsts.status, snapshot.hsts.max_age) == (True, 200, 31536000)
        assert snapshot.hsts.include_subdomains
        assert (server.accepted, server.completed, server.clean_closes, server.errors) == (2, 2, 2, [])
        asked = b"".join(server.heard_inside)
        assert asked.startswith(b"GET / HTTP/1.1\r\nHost: shop.test:%d\r\nUser-Agent: Vigilo/" % server.port)


@pytest.mark.parametrize(
    ("answer", "present", "status", "words"),
    [
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", False, 301, None),
        (b"HTTP/1.1 404 Not Found\r\nStrict-Transport-Security: max-age=1\r\n\r\n", None, 404, "status 404"),
        (b"SSH-2.0-x\r\n", None, None, "not HTTP/1"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000, None, None, "larger than 32768 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: ", None, None, "no answer in time"),
        (b"", None, None, "no answer in time"),
    ],
)
async def test_other_answers(
    tools: Tools, serving: Serving, answer: bytes, present: bool | None, status: int | None, words: str | None
) -> None:
    with StarttlsServer(serving, answer=answer, port=https_like_port()) as server:
        snapshot = await scan(tools, server)
    assert snapshot.hsts is not None
    assert (snapshot.hsts.present, snapshot.hsts.status) == (present, status)
    assert (words or "") in (snapshot.hsts.parse_error or "")
    assert snapshot.duration_ms is not None
    assert snapshot.duration_ms < 4000


async def test_never_more_than_three_handshakes(tools: Tools, authority: pki.Authority) -> None:
    leaf = authority.leaf("shop.test", options=pki.Options(ocsp_url="http://ocsp.test/"))
    with StarttlsServer(Serving(leaf, alpn=[b"h2"]), answer=OK, port=https_like_port()) as server:
        snapshot = await scan(tools, server)
        assert snapshot.staple is not None
        assert (snapshot.staple.present, server.accepted) == (False, 3)


async def test_where_it_is_no_question_nobody_asks(tools: Tools, authority: pki.Authority) -> None:
    serving = Serving(authority.leaf("shop.test"))
    with StarttlsServer(serving) as elsewhere, StarttlsServer(serving, answer=OK, port=https_like_port()) as server:
        assert (await scan(tools, elsewhere)).hsts is None
        assert (await scan(tools, server, "127.0.0.1")).hsts is None
        server.serving = Serving(authority.leaf("shop.test"), demand_client_certificate=True)
        assert (await scan(tools, server)).hsts is None
        assert (elsewhere.accepted, server.accepted) == (1, 2)
