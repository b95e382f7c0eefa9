"""Our full scan against sslyze and sslscan, on real servers: what all of them tell must be the same, by name.

A difference needs its reason in tests/peers/explained.py. `make agreement` prints the tables of docs/agreement.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from services.scanner.tools import Tools
from tests.fakes.foreign_servers import openssl_server, openssl_suites, tlslite_server
from tests.fakes.library_servers import gnutls_server, ssl2_in_front_of
from tests.fakes.mail_servers import DOVECOT_OLD, dovecot, postfix
from tests.fakes.pki import Authority, Issued, Options, rsa_key
from tests.fakes.store_servers import mariadb, postgresql, prosody, slapd
from tests.fakes.tls_server import Serving, TlsServer
from tests.fakes.web_servers import EVERYTHING, haproxy, nginx
from tests.peers import ours, s_client, sslscan, sslyze
from tests.peers.explained import EXPLANATIONS
from tests.peers.facts import Account, compared, in_order
from tests.peers.report import Row, explain, tables
from vigilo.events.hosts import Protocol
from vigilo.tls.wire.client_hello import SSL2_CIPHERS

PROTOCOLS = {
    "smtp": Protocol.SMTP,
    "imap": Protocol.IMAP,
    "pop3": Protocol.POP3,
    "ldap": Protocol.LDAP,
    "xmpp": Protocol.XMPP,
    "mysql": Protocol.MYSQL,
    "postgresql": Protocol.POSTGRESQL,
}
Ports = AbstractContextManager[dict[str, int]]
Server = Callable[[Issued, Issued, Path], Ports]  # an RSA leaf, an ECDSA leaf, a folder of its own
S_SERVER = {
    "as it comes": (),
    "everything": ("-min_protocol", "TLSv1", "-cipher", "ALL:eNULL:!PSK:!SRP:@SECLEVEL=0", "-serverpref"),
    "TLS 1.3 only, CCM": ("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_128_CCM_SHA256"),
    "groups in its order": ("-groups", "X448:P-521:ffdhe3072", "-serverpref"),
    "brainpool": ("-groups", "brainpoolP256r1:brainpoolP512r1:P-256", "-serverpref"),
    "TLS 1.0 only": ("-tls1", "-cipher", "HIGH:@SECLEVEL=0"),
    "demands a client certificate": ("-Verify", "1"),
}
GNUTLS = {
    "as it comes": "NORMAL",
    "own order, RC4 and 3DES": (
        "NORMAL:+ARCFOUR-128:+3DES-CBC:+DHE-RSA:+ANON-DH:+ANON-ECDH:+MD5:-CURVE-X448:%SERVER_PRECEDENCE"
    ),
}


def several(
    start: Callable[[Issued, Path, tuple[str, ...]], AbstractContextManager[int]], ways: dict[str, tuple[str, ...]]
) -> dict[str, Server]:
    """A server for each way to configure it."""

    @contextmanager
    def run(options: tuple[str, ...], rsa: Issued, _: Issued, folder: Path) -> Iterator[dict[str, int]]:
        with start(rsa, folder, options) as port:
            yield {"": port}

    return {way: partial(run, options) for way, options in ways.items()}


@contextmanager
def openssl_4(rsa: Issued, _: Issued, __: Path) -> Iterator[dict[str, int]]:
    with TlsServer(Serving(rsa, ciphers=b"DEFAULT:@SECLEVEL=0")) as server:
        yield {"by pyOpenSSL": server.port}


@contextmanager
def tlslite(rsa: Issued, _: Issued, __: Path) -> Iterator[dict[str, int]]:
    ciphers = ("rc4", "3des", "null", "aes128", "aes256gcm", "chacha20-poly1305")
    with tlslite_server(rsa, ciphers=ciphers, key_exchanges=("rsa", "dhe_rsa", "ecdhe_rsa")) as port:
        yield {"SSL 3 to TLS 1.2": port}


@contextmanager
def with_ssl2(rsa: Issued, _: Issued, folder: Path) -> Iterator[dict[str, int]]:
    with openssl_server(rsa, folder, "-tls1_2") as port, ssl2_in_front_of(port, SSL2_CIPHERS) as front:
        yield {"scripted, before TLS 1.2": front}


SERVERS: dict[str, Server] = {
    "nginx": nginx,
    "haproxy": lambda rsa, _, folder: haproxy(rsa, folder),
    "postfix": lambda rsa, _, folder: postfix(rsa, folder),
    "dovecot": lambda rsa, _, folder: dovecot(rsa, folder),
    "dovecot without ssl_dh": lambda rsa, _, folder: dovecot(rsa, folder, ""),
    "dovecot without ssl_dh, old": lambda rsa, _, folder: dovecot(rsa, folder, DOVECOT_OLD),
    "slapd": lambda rsa, _, folder: slapd(rsa, folder),
    "prosody": lambda rsa, _, folder: prosody(rsa, folder),
    "MariaDB": lambda rsa, _, folder: mariadb(rsa, folder),
    "PostgreSQL": lambda rsa, _, folder: postgresql(rsa, folder),
    "OpenSSL 4": openssl_4,
    "tlslite-ng": tlslite,
    "SSL 2": with_ssl2,
}
SERVERS |= {
    f"s_server, {way}": server
    for way, server in several(lambda leaf, folder, options: openssl_server(leaf, folder, *options), S_SERVER).items()
}
SERVERS |= {
    f"gnutls-serv, {way}": server
    for way, server in several(
        lambda leaf, folder, priority: gnutls_server(leaf, folder, *priority),
        {way: (priority,) for way, priority in GNUTLS.items()},
    ).items()
}


@pytest.fixture(scope="session")
def leaves(authority: Authority) -> tuple[Issued, Issued]:
    return authority.leaf("a.test", options=Options(key=rsa_key())), authority.leaf("a.test")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that servers reach as users of their own; tmp_path is for ours alone."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-agreement-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    """What was found; printed at the end, and written to the file that VIGILO_AGREEMENT_FILE names."""
    found: list[Row] = []
    yield found
    text = tables(found, EXPLANATIONS)
    print(f"\n{text}")
    if path := os.environ.get("VIGILO_AGREEMENT_FILE"):
        Path(path).write_text(text, encoding="utf-8")


async def test_nginx_offers_what_openssl_says_it_does(
    leaves: tuple[Issued, Issued], open_folder: Path, tools: Tools
) -> None:
    """Quick, and without the peers: the suites of TLS 1.0 to 1.2, in order; nginx has no DHE without parameters."""
    with nginx(*leaves, open_folder) as ports:
        mine, snapshot = await ours.scan(ports["everything"], None, tools)
    assert snapshot.posture is not None
    for version, flag in (("TLSv1.0", "-tls1"), ("TLSv1.1", "-tls1_1"), ("TLSv1.2", "-tls1_2")):
        known = [name for name in openssl_suites(flag, EVERYTHING) if "_DHE_" not in name and "_DH_" not in name]
        assert len(known) > 8
        assert mine.facts[f"{version} order"] == in_order(known)


def test_a_difference_without_a_reason_is_seen() -> None:
    """One suite less, one version more, another order: none of it has a reason."""
    suites, more = frozenset({"TLS_A", "TLS_B"}), frozenset({"accepted"})
    mine = Account("vigilo", {"TLSv1.2 suites": suites, "TLSv1.2 order": in_order(("TLS_A", "TLS_B"))}, 1, 0.0)
    theirs = Account(
        "sslscan", {"TLSv1.2 suites": suites - {"TLS_B"}, "TLSv1.2 order": in_order(("TLS_B", "TLS_A"))}, 1, 0
    )
    assert [one.fact for one in Row("nginx", mine, [theirs]).differences] == ["TLSv1.2 suites", "TLSv1.2 order"]
    assert not any(explain(one, EXPLANATIONS) for one in Row("nginx", mine, [theirs]).differences)
    assert Row("nginx", mine, [Account("sslyze", {"TLSv1.1": more}, 1, 0.0)]).differences == []  # we said nothing of it


@pytest.mark.slow
@pytest.mark.parametrize("name", SERVERS)
async def test_three_scanners_agree(
    name: str, leaves: tuple[Issued, Issued], open_folder: Path, tmp_path: Path, tools: Tools, rows: list[Row]
) -> None:
    sslyze.program()  # before any server: where it cannot be had, the test is skipped
    found: list[Row] = []
    with SERVERS[name](*leaves, open_folder) as ports:
        for way, port in ports.items():
            found.append(await compare(f"{name} {way}".strip(), port, PROTOCOLS.get(way), tmp_path, tools))
    rows.extend(found)
    unexplained = [str(one) for row in found for one in row.differences if not explain(one, EXPLANATIONS)]
    assert not unexplained, "\n".join(unexplained)


async def compare(server: str, port: int, protocol: Protocol | None, folder: Path, tools: Tools) -> Row:
    mine, snapshot = await ours.scan(port, protocol, tools)
    assert snapshot.posture is not None
    assert not snapshot.posture.throttled
    peers = [sslyze.scan(port, protocol, folder)] if sslyze.speaks(protocol) else []
    peers.append(sslscan.scan(port, protocol, folder))
    assert all(compared(mine, peer) for peer in peers)
    peers.append(s_client.ask(port, protocol, snapshot.posture))
    return Row(server, mine, peers)


@pytest.mark.slow
def test_no_reason_is_left_over(rows: list[Row], request: pytest.FixtureRequest) -> None:
    """A reason that nothing needs any more is a claim nobody checks."""
    if len({row.server.split(" ", maxsplit=1)[0] for row in rows}) < len({name.split(" ")[0] for name in SERVERS}):
        pytest.skip("not all servers were compared")
    needed = [explain(one, EXPLANATIONS) for row in rows for one in row.differences]
    assert [one.reason for one in EXPLANATIONS if one not in needed] == []
