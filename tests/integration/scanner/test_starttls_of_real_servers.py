"""The same dialogues with the servers people run; their logs show that nobody was annoyed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.distribution import running, unpacked
from tests.fakes.pki import Authority
from tests.fakes.scan_requests import light_request
from tests.fakes.scanner_process import free_port
from vigilo.events.hosts import Protocol
from vigilo.events.scans import Outcome, Snapshot
from vigilo.tls.starttls import protocols


@pytest.fixture
def pem(authority: Authority, tmp_path: Path) -> Path:
    leaf = authority.leaf("mail.test")
    path = tmp_path / "server.pem"
    path.write_bytes(leaf.key_pem + leaf.chain_pem())
    path.chmod(0o600)
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that servers reach as users of their own; tmp_path is for ours alone."""
    folder = Path(tempfile.mkdtemp(prefix="vigilo-starttls-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def assert_well(snapshot: Snapshot, protocol: Protocol) -> None:
    assert (snapshot.outcome, snapshot.detail) == (Outcome.OK, None)
    assert (snapshot.protocol, snapshot.tls_version, snapshot.chain_count) == (protocol, "TLSv1.3", 2)
    assert snapshot.starttls is None or snapshot.starttls.early_bytes == 0


def content(log: Path) -> str:
    return log.read_text(errors="replace")


async def lines_of(log: Path, words: str, count: int) -> str:
    """The log, once the words have come so often (or after 5 s, without them)."""
    for _ in range(50):
        if content(log).count(words) >= count:
            break
        await asyncio.sleep(0.1)
    return content(log)


MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
myhostname = mx.test
mydestination =
alias_maps =
smtpd_tls_chain_files = {pem}
smtpd_tls_security_level = may
"""
MASTER = """127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{direct} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


async def test_postfix(tools: Tools, pem: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, port, direct = unpacked("postfix"), free_port(), free_port()
    for name in ("queue", "data"):
        (open_folder / name).mkdir()
    shutil.chown(open_folder / "data", 903, 903)
    etc = {
        "postfix/main.cf": MAIN.format(folder=open_folder, pem=pem),
        "postfix/master.cf": MASTER.format(port=port, direct=direct),
    }
    monkeypatch.setattr(protocols, "DIRECT_PORTS", {direct: Protocol.SMTP})
    command = ["postfix", "start-fg"]
    with running(command, files=files, etc=etc, folder=open_folder, port=port) as log:
        assert_well(await scan_target(light_request("127.0.0.1", port, protocol=Protocol.SMTP), tools), Protocol.SMTP)
        assert_well(await scan_target(light_request("127.0.0.1", direct, protocol=Protocol.TLS), tools), Protocol.TLS)
        await tools.close()
        text = await lines_of(log, "quit=1", 2)
    assert "ehlo=1 starttls=1 quit=1 commands=3" in text
    assert "quit=1 commands=1" in text, text
    # The one loss is the test's own look whether the server is up.
    assert text.count("lost connection") <= 1
    assert "improper command" not in text


DOVECOT = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
login_log_format_elements = %r
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{pem}
ssl_key = <{pem}
passdb {{
  driver = static
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
"""


async def test_dovecot(tools: Tools, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = unpacked("dovecot-core", "dovecot-imapd", "dovecot-pop3d")
    ports = {name: free_port() for name in ("imap", "imaps", "pop3", "pop3s")}
    etc = {"dovecot/dovecot.conf": DOVECOT.format(folder=tmp_path, pem=pem, **ports)}
    monkeypatch.setattr(protocols, "DIRECT_PORTS", {ports["imaps"]: Protocol.IMAP, ports["pop3s"]: Protocol.POP3})
    with running(["dovecot", "-F"], files=files, etc=etc, folder=tmp_path, port=ports["imap"]) as log:
        for name, protocol in (("imap", Protocol.IMAP), ("pop3", Protocol.POP3)):
            snapshot = await scan_target(light_request("127.0.0.1", ports[name], protocol=protocol), tools)
            assert_well(snapshot, protocol)
            direct = light_request("127.0.0.1", ports[f"{name}s"], protocol=Protocol.TLS)
            assert_well(await scan_target(direct, tools), Protocol.TLS)
        await tools.close()
        text = await lines_of(log, "Aborted login", 4)
    assert text.count("Aborted login by logging out") >= 4, text
    assert "TLS handshaking" not in text


SLAPD = """include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {pem}
TLSCertificateKeyFile {pem}
TLSCACertificateFile {pem}
database mdb
suffix dc=test
directory {folder}/data
"""


async def test_slapd(tools: Tools, pem: Path, tmp_path: Path) -> None:
    files, port = unpacked("slapd", "libltdl7", "libwrap0"), free_port()
    (tmp_path / "data").mkdir()
    etc = {"ldap/slapd.conf": SLAPD.format(folder=tmp_path, pem=pem)}
    command = ["slapd", "-d", "256", "-h", f"ldap://127.0.0.1:{port}", "-f", "/etc/ldap/slapd.conf"]
    with running(command, files=files, etc=etc, folder=tmp_path, port=port) as log:
        assert_well(await scan_target(light_request("127.0.0.1", port, protocol=Protocol.LDAP), tools), Protocol.LDAP)
        await tools.close()
        text = await lines_of(log, "UNBIND", 1)
    assert "TLS established" in text
    assert "UNBIND" in text


def _binaries() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and os.getuid() == 0 and shutil.which("setpriv"):
            return folder
    pytest.skip("no PostgreSQL of the distribution, or not root, or no setpriv")


@pytest.fixture
def postgresql(pem: Path, open_folder: Path) -> Iterator[tuple[int, Path]]:
    """Port and log of a PostgreSQL with TLS; it refuses to run as root, and others may not look into tmp_path."""
    binaries, port, folder = _binaries(), free_port(), open_folder
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    shutil.copy(pem, folder / "server.pem")
    for path in (folder, folder / "server.pem"):
        shutil.chown(path, 65534, 65534)
    initdb = [*nobody, str(binaries / "initdb"), "-D", str(folder / "data"), "-A", "trust", "--no-sync"]
    # PostgreSQL asks where it stands, and the checkout may be closed to others.
    subprocess.run(initdb, check=True, capture_output=True, timeout=60, cwd=folder)
    settings = ["ssl=on", f"ssl_cert_file={folder}/server.pem", f"ssl_key_file={folder}/server.pem", "fsync=off"]
    settings += [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
    options = [word for setting in settings for word in ("-c", setting)]
    log = folder / "log"
    with log.open("wb") as out:
        command = [*nobody, str(binaries / "postgres"), "-D", str(folder / "data"), *options]
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
    try:
        yield port, log
    finally:
        server.terminate()
        server.wait(10)


async def test_postgresql(tools: Tools, postgresql: tuple[int, Path]) -> None:
    port, log = postgresql
    assert "ready to accept connections" in await lines_of(log, "ready to accept connections", 1)
    request = light_request("127.0.0.1", port, protocol=Protocol.POSTGRESQL)
    assert_well(await scan_target(request, tools), Protocol.POSTGRESQL)
    await tools.close()
    text = content(log)
    assert "incomplete startup packet" not in text
    assert "could not" not in text
