"""Directory, chat and database servers of the distribution: slapd, prosody, PostgreSQL, MariaDB."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.distribution import running, unpacked, wait_for
from tests.fakes.pki import Issued
from tests.fakes.scanner_process import free_port

_START_SECONDS = 60
_NOBODY = 65534

_SLAPD = """include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.pem
TLSCACertificateFile {folder}/server.pem
database mdb
suffix dc=test
directory {folder}/data
"""


@contextmanager
def slapd(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """Its ports: `ldap` (STARTTLS) and `ldaps`. Debian builds it with GnuTLS."""
    files = unpacked("slapd", "libltdl7", "libwrap0")
    (folder / "data").mkdir()
    _write_pem(rsa, folder)
    ports = {name: free_port() for name in ("ldap", "ldaps")}
    urls = " ".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    etc = {"ldap/slapd.conf": _SLAPD.format(folder=folder)}
    command = ["slapd", "-d", "256", "-h", urls, "-f", "/etc/ldap/slapd.conf"]
    with running(command, files=files, etc=etc, folder=folder, port=ports["ldap"]):
        yield ports


_PROSODY = """run_as_root = true
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
log = "*console"
modules_enabled = {{ "saslauth", "tls" }}
modules_disabled = {{ "s2s" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {xmpp} }}
c2s_direct_tls_ports = {{ {xmpps} }}
certificates = "{folder}"
ssl = {{ key = "{folder}/server.pem", certificate = "{folder}/server.pem" }}
c2s_direct_tls_ssl = {{ key = "{folder}/server.pem", certificate = "{folder}/server.pem" }}
authentication = "internal_hashed"
VirtualHost "a.test"
VirtualHost "127.0.0.1"
"""
_PROSODY_PACKAGES = ("prosody", "lua-expat", "lua-filesystem", "lua5.4", "lua-bitop", "lua-socket", "lua-sec")


@contextmanager
def prosody(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """Its ports for the domain a.test: `xmpp` (STARTTLS) and `xmpps`."""
    files = unpacked(*_PROSODY_PACKAGES)
    (folder / "data").mkdir()
    _write_pem(rsa, folder)
    ports = {name: free_port() for name in ("xmpp", "xmpps")}
    config = folder / "prosody.cfg.lua"
    config.write_text(_PROSODY.format(folder=folder, **ports))
    command = ["lua5.4", "/usr/bin/prosody", "-F", "--config", str(config)]
    with running(command, files=files, etc={}, folder=folder, port=ports["xmpp"]):
        yield ports


_MARIADB = """[mysqld]
user = root
datadir = {folder}/data
socket = {folder}/socket
pid-file = {folder}/pid
bind-address = 127.0.0.1
port = {port}
skip-grant-tables
skip-networking = 0
innodb_buffer_pool_size = 16M
innodb_log_file_size = 8M
max_connect_errors = 100000
ssl_cert = {folder}/server.pem
ssl_key = {folder}/server.pem
tls_version = TLSv1.2,TLSv1.3
"""


@contextmanager
def mariadb(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """Its port (`mysql`), where TLS comes after the greeting."""
    files = unpacked("mariadb-server-core", "libaio1", "liburing2")
    (folder / "data" / "mysql").mkdir(parents=True)
    _write_pem(rsa, folder)
    port = free_port()
    config = folder / "my.cnf"
    config.write_text(_MARIADB.format(folder=folder, port=port))
    command = ["mariadbd", f"--defaults-file={config}"]
    with running(command, files=files, etc={}, folder=folder, port=port):
        yield {"mysql": port}


def _postgresql_binaries() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and os.getuid() == 0 and shutil.which("setpriv"):
            return folder
    pytest.skip("no PostgreSQL of the distribution, or not root, or no setpriv")


@contextmanager
def postgresql(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """Its port (`postgresql`), where TLS comes after a request. `folder` must be open to other users."""
    binaries, port = _postgresql_binaries(), free_port()
    _write_pem(rsa, folder)
    for path in (folder, folder / "server.pem"):
        shutil.chown(path, _NOBODY, _NOBODY)
    nobody = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    made = [*nobody, str(binaries / "initdb"), "-D", str(folder / "data"), "-A", "trust", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, timeout=_START_SECONDS, cwd=folder)
    settings = ["ssl=on", f"ssl_cert_file={folder}/server.pem", f"ssl_key_file={folder}/server.pem", "fsync=off"]
    settings += [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
    options = [part for setting in settings for part in ("-c", setting)]
    log = folder / "log"
    with log.open("wb") as out:
        command = [*nobody, str(binaries / "postgres"), "-D", str(folder / "data"), *options]
        server = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
    try:
        wait_for(port, server, log)
        yield {"postgresql": port}
    finally:
        server.terminate()
        server.wait(10)


def _write_pem(leaf: Issued, folder: Path) -> None:
    path = folder / "server.pem"
    path.write_bytes(leaf.key_pem + leaf.chain_pem())
    path.chmod(0o600)
