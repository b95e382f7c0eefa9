"""Mail servers that let strangers wait: waited for, but not while a person waits for the first snapshot."""

from __future__ import annotations

import pytest

from services.scanner import patience, scan
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes import starttls_server as fake
from tests.fakes.hostile_server import HostileServer, Say, Wait
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.starttls_server import Pause, StarttlsServer
from tests.fakes.tls_server import Serving
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested

# As postscreen does: a first line at once, the rest after its test.
LATE = (fake.Say(b"220-mx.test\r\n"), Pause(1.5), fake.Say(b"220 ESMTP\r\n"), *fake.SMTP[1:])


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handshake may take a second here instead of four."""
    monkeypatch.setattr(scan, "LIGHT_SECONDS", 1.0)


def of(request: ScanRequested, reason: ScanReason) -> ScanRequested:
    lane = Lane.NOW if reason is ScanReason.FIRST else Lane.SLOW
    return request.model_copy(update={"reason": reason, "lane": lane})


async def test_a_slot_waits_for_the_greeting(tools: Tools, authority: pki.Authority) -> None:
    with StarttlsServer(Serving(authority.leaf("mail.test")), dialogue=LATE) as server:
        request = of(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), ScanReason.SLOT)
        snapshot = await scan_target(request, tools)
        await tools.close()
    assert (snapshot.outcome, snapshot.detail) == (Outcome.OK, None)
    assert server.heard_before[0].startswith(b"EHLO "), "nothing was said before the greeting had ended"


async def test_the_first_snapshot_does_not_wait_and_says_so(tools: Tools, authority: pki.Authority) -> None:
    with StarttlsServer(Serving(authority.leaf("mail.test")), dialogue=LATE) as server:
        request = of(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), ScanReason.FIRST)
        snapshot = await scan_target(request, tools)
        await tools.close()
    assert snapshot.outcome is Outcome.TLS_TIMEOUT
    assert "the greeting takes longer than 1 s" in (snapshot.detail or "")
    assert snapshot.duration_ms is not None
    assert snapshot.duration_ms < 2000
    assert server.heard_before == [b""]


async def test_after_the_greeting_the_deadline_is_as_short_as_ever(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "GREETING_SECONDS", 60.0)
    with HostileServer([Say(b"220 mx.test\r\n"), Wait()]) as server:
        request = of(light_request("127.0.0.1", server.port, protocol=Protocol.SMTP), ScanReason.SLOT)
        snapshot = await scan_target(request, tools)
    assert snapshot.outcome is Outcome.TLS_TIMEOUT
    assert snapshot.duration_ms is not None
    assert snapshot.duration_ms < 3000


async def test_questions_wait_for_the_greeting_too(tools: Tools, authority: pki.Authority) -> None:
    late = (fake.Say(b"220-mx.test\r\n"), Pause(0.02), fake.Say(b"220 ESMTP\r\n"), *fake.SMTP[1:])
    with StarttlsServer(Serving(authority.leaf("mail.test")), dialogue=late) as server:
        snapshot = await scan_target(full_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        await tools.close()
    assert snapshot.depth is Depth.FULL
    assert not snapshot.throttled
