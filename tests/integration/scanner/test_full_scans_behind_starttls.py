"""What servers accept after STARTTLS: every protocol, two connections at a time, and over many scans for mail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.scanner.enumerating import DIALOGUES_AT_ONCE
from services.scanner.manners import LINES_OF_QUESTIONS_MAX, WINDOW, Manners
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes import starttls_server as fake
from tests.fakes.scan_requests import full_request
from tests.fakes.starttls_server import Dialogue, Pause, StarttlsServer
from tests.fakes.tls_server import Serving
from vigilo.events.hosts import Protocol
from vigilo.events.ids import new_id
from vigilo.events.posture import Posture, PostureSource, Support
from vigilo.events.scans import Baseline, Depth, Outcome, ScanRequested, Snapshot
from vigilo.events.transcript import TRANSCRIPT_GOOD_FOR, Transcript

DIALOGUES: dict[Protocol, Dialogue] = {
    Protocol.SMTP: fake.SMTP,
    Protocol.IMAP: fake.IMAP,
    Protocol.POP3: fake.POP3,
    Protocol.FTP: fake.FTP,
    Protocol.LDAP: fake.LDAP,
    Protocol.XMPP: fake.XMPP,
    Protocol.POSTGRESQL: fake.POSTGRESQL,
    Protocol.MYSQL: fake.MYSQL,
}
SUITES = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"


@pytest.fixture
def serving(authority: pki.Authority) -> Serving:
    return Serving(authority.leaf("mail.test"), ciphers=SUITES)


def assert_whole(posture: Posture | None) -> None:
    assert posture is not None
    assert posture.supporting(Support.ACCEPTED)[-2:] == ("TLSv1.2", "TLSv1.3")
    assert posture.supporting(Support.UNKNOWN) == ()
    assert not posture.throttled
    tls12 = next(one for one in posture.versions if one.version == "TLSv1.2")
    assert set(tls12.suites) == {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}
    assert tls12.complete


@pytest.mark.parametrize("protocol", DIALOGUES)
async def test_every_protocol(protocol: Protocol, tools: Tools, serving: Serving) -> None:
    with StarttlsServer(serving, dialogue=DIALOGUES[protocol]) as server:
        snapshot = await scan_target(full_request("127.0.0.1", server.port, protocol=protocol), tools)
        await tools.close()
    assert (snapshot.outcome, snapshot.depth) == (Outcome.OK, Depth.FULL)
    assert_whole(snapshot.posture)


def paced(port: int, *, at: datetime, last: Snapshot | None) -> ScanRequested:
    request = full_request("127.0.0.1", port, protocol=Protocol.SMTP)
    if last is not None:
        request = request.model_copy(update={"target": last.target.model_copy(update={"port": port})})
    baseline = Baseline(
        scan_id=new_id(),
        requested_at=at,
        detected_protocol=Protocol.SMTP,
        transcript=None if last is None else last.transcript,
    )
    return request.model_copy(update={"requested_at": at, "probes_max": 3, "baseline": baseline})


async def test_answers_of_many_scans_make_the_posture_of_one(tools: Tools, serving: Serving) -> None:
    at = datetime.now(UTC)
    tools.manners = Manners(lambda: at)
    with StarttlsServer(serving, dialogue=fake.SMTP) as server:
        whole = await scan_target(full_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        last: Snapshot | None = None
        for _ in range(60):
            at += WINDOW
            before = tools.connections
            last = await scan_target(paced(server.port, at=at, last=last), tools)
            assert tools.connections - before <= 1 + LINES_OF_QUESTIONS_MAX
            if last.posture is not None:
                break
            assert last.depth is Depth.LIGHT
            assert last.transcript is not None
        await tools.close()
    assert last is not None
    assert last.posture is not None
    assert whole.posture is not None
    assert last.posture_origin is not None
    assert last.posture_origin.source is PostureSource.MEASURED
    assert last.transcript is None
    apart = {"connections": 0, "duration_ms": None}
    assert last.posture.model_copy(update=apart) == whole.posture.model_copy(update=apart)


async def test_no_more_is_asked_than_a_watchdog_bears(tools: Tools, serving: Serving) -> None:
    at = datetime.now(UTC)
    tools.manners = Manners(lambda: at)
    with StarttlsServer(serving, dialogue=fake.SMTP) as server:
        first = await scan_target(paced(server.port, at=at, last=None), tools)
        second = await scan_target(paced(server.port, at=at, last=first), tools)
        await tools.close()
        assert server.accepted == 1 + LINES_OF_QUESTIONS_MAX + 1
    assert second.transcript == first.transcript


async def test_answers_of_another_server_are_forgotten(
    tools: Tools, serving: Serving, authority: pki.Authority
) -> None:
    at = datetime.now(UTC)
    tools.manners = Manners(lambda: at)
    with StarttlsServer(serving, dialogue=fake.SMTP) as server:
        first = await scan_target(paced(server.port, at=at, last=None), tools)
    at += WINDOW
    with StarttlsServer(Serving(authority.leaf("new.test")), dialogue=fake.SMTP) as server:
        second = await scan_target(paced(server.port, at=at, last=first), tools)
        await tools.close()
    assert first.transcript is not None
    assert second.transcript is not None
    assert second.transcript.begun_at == at
    assert first.transcript.like != second.transcript.like


async def test_two_dialogues_at_a_time(tools: Tools, serving: Serving) -> None:
    with StarttlsServer(serving, dialogue=(*fake.SMTP, Pause(0.03))) as server:
        await scan_target(full_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        await tools.close()
        # Those that were left may still be on their way out.
        assert DIALOGUES_AT_ONCE <= server.most_at_once <= 2 * DIALOGUES_AT_ONCE


async def test_a_server_that_says_421_is_left_alone_at_once(tools: Tools, serving: Serving) -> None:
    busy = (fake.Say(b"421 4.7.0 too many connections\r\n"),)
    with StarttlsServer(serving, dialogue=fake.SMTP, then_dialogue=busy) as server:
        snapshot = await scan_target(full_request("127.0.0.1", server.port, protocol=Protocol.SMTP), tools)
        await tools.close()
        assert server.accepted <= 1 + DIALOGUES_AT_ONCE + 1  # the closing probe, too
    assert snapshot.outcome is Outcome.OK
    assert snapshot.throttled
    assert snapshot.posture is None or snapshot.posture.supporting(Support.REJECTED) == ()


def test_a_transcript_lives_five_days() -> None:
    begun = datetime.now(UTC)
    transcript = Transcript(begun_at=begun, address="192.0.2.1", like="x")
    assert transcript.continues(at=begun + TRANSCRIPT_GOOD_FOR - timedelta(seconds=1), address="192.0.2.1", like="x")
    assert not transcript.continues(at=begun + TRANSCRIPT_GOOD_FOR, address="192.0.2.1", like="x")
    assert not transcript.continues(at=begun, address="192.0.2.2", like="x")
