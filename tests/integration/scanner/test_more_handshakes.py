"""What only full scans ask: the chain without a name, resumption; and what all see of a client certificate demanded."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes import pki
from tests.fakes.foreign_servers import openssl_server, tlslite_server
from tests.fakes.scan_requests import full_request, light_request
from tests.fakes.session_server import Sessions, session_server
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.handshakes import ResumptionFacts, WithoutSni
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome, Snapshot

YES, NO, UNKNOWN = Support.ACCEPTED, Support.REJECTED, Support.UNKNOWN


async def full(tools: Tools, port: int, name: str = "a.test") -> Snapshot:
    snapshot = await scan_target(full_request(name, port, address="127.0.0.1"), tools)
    await tools.close()
    assert snapshot.outcome is Outcome.OK, snapshot.detail
    return snapshot


async def unnamed(tools: Tools, port: int) -> WithoutSni:
    found = (await full(tools, port)).without_sni
    assert found is not None
    return found


async def resumption(tools: Tools, port: int) -> ResumptionFacts:
    found = (await full(tools, port)).resumption
    assert found is not None
    return found


async def test_another_certificate_without_a_name(tools: Tools, authority: pki.Authority, tmp_path: Path) -> None:
    default = authority.leaf("default.test")
    with session_server(Sessions(authority.leaf("a.test"), nameless=default), tmp_path) as port:
        found = await unnamed(tools, port)
    assert (found.outcome, found.tls_version, found.san, found.same_leaf) == ("ok", "TLSv1.3", ("default.test",), False)
    assert (len(found.chain_sha256), found.issuer) == (2, "CN=Test CA")


async def test_a_server_that_wants_a_name(tools: Tools, authority: pki.Authority, tmp_path: Path) -> None:
    with session_server(Sessions(authority.leaf("a.test")), tmp_path) as port:
        snapshot = await full(tools, port)
    assert snapshot.without_sni is not None
    assert (snapshot.without_sni.outcome, snapshot.without_sni.alert) == ("tls-alert", "unrecognized_name")
    assert snapshot.resumption is not None
    assert snapshot.resumption.tls13 is YES


async def test_addresses_have_no_name_to_leave_out(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        assert (await full(tools, server.port, "127.0.0.1")).without_sni is None


async def test_old_servers_are_asked_without_a_name_by_ourselves(tools: Tools) -> None:
    leaf = pki.issue(pki.Options(names=("a.test",), key=pki.rsa_key(2048)))
    with tlslite_server(leaf, ciphers=("rc4",), key_exchanges=("rsa",), newest=(3, 1)) as port:
        found = await unnamed(tools, port)
    assert (found.outcome, found.tls_version, found.same_leaf) == ("ok", "TLSv1.0", True)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ((), ResumptionFacts(session_id=YES, ticket_issued=True, tls13=YES, tls13_ticket_issued=True)),
        (("-tls1_2",), ResumptionFacts(session_id=YES, ticket=YES, ticket_issued=True)),
        (("-tls1_2", "-no_ticket"), ResumptionFacts(session_id=YES, ticket=NO)),
        (
            ("-num_tickets", "0"),
            ResumptionFacts(session_id=YES, ticket_issued=True, tls13=NO, tls13_ticket_issued=False),
        ),
        (("-tls1_3",), ResumptionFacts(tls13=YES, tls13_ticket_issued=True)),
        (("-tls1_2", "-no_ticket", "-no_cache"), ResumptionFacts(session_id=NO, ticket=NO)),
    ],
)
async def test_what_goes_on_with_an_earlier_session(
    tools: Tools, authority: pki.Authority, tmp_path: Path, options: tuple[str, ...], wanted: ResumptionFacts
) -> None:
    with openssl_server(authority.leaf("a.test"), tmp_path, *options) as port:
        found = await resumption(tools, port)
    assert found.model_copy(update={"ticket_lifetime_seconds": None, "max_early_data": None}) == wanted
    assert (found.ticket_lifetime_seconds or 7200) == 7200


async def test_a_server_that_forgets_its_sessions(tools: Tools, authority: pki.Authority) -> None:
    """Each connection has keys of its own there: tickets are given and never taken."""
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        found = await resumption(tools, server.port)
    assert (found.tls13, found.session_id, found.tls13_ticket_issued) == (NO, NO, True)


async def test_early_data_is_said_in_the_ticket(tools: Tools, authority: pki.Authority, tmp_path: Path) -> None:
    options = ("-early_data", "-max_early_data", "4321")
    with openssl_server(authority.leaf("a.test"), tmp_path, *options) as port:
        found = await resumption(tools, port)
    assert (found.max_early_data, found.tls13) == (4321, YES)


async def test_light_scans_ask_nothing_of_it(tools: Tools, authority: pki.Authority) -> None:
    with TlsServer(Serving(authority.leaf("a.test"))) as server:
        snapshot = await scan_target(light_request("a.test", server.port, address="127.0.0.1"), tools)
        assert server.accepted == 1
    assert (snapshot.without_sni, snapshot.resumption) == (None, None)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("flag", "required"), [("-Verify", True), ("-verify", False)])
async def test_whether_a_client_certificate_is_demanded_or_only_asked_for(
    tools: Tools, authority: pki.Authority, tmp_path: Path, version: str, flag: str, required: bool
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.root.pem)
    options = (version, flag, "1", "-CAfile", str(tmp_path / "ca.pem"))
    with openssl_server(authority.leaf("a.test"), tmp_path, *options) as port:
        snapshot = await scan_target(light_request("a.test", port, address="127.0.0.1"), tools)
    assert tools.connections == 1
    assert (snapshot.outcome, snapshot.chain_count > 0, snapshot.client_certificate_demanded) == (
        Outcome.OK,
        True,
        True,
    )
    demand = snapshot.client_certificate
    assert demand is not None
    assert (demand.required, demand.ca_names, demand.ca_names_count) == (required, ("CN=Test Root",), 1)
