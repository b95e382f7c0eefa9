"""What is worked out for a client is what a client gets: nginx by a full scan, against `openssl s_client` for real.

s_client takes on the versions, suites and groups of each reference client, in their order, as far as OpenSSL has them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from tests.fakes.pki import Authority, Options, rsa_key
from tests.fakes.scan_requests import full_request
from tests.fakes.web_servers import nginx
from vigilo.events.clients import Connects
from vigilo.events.hosts import Protocol
from vigilo.events.posture import SuiteOrder, Support
from vigilo.grading.clients.client import Client
from vigilo.grading.clients.reference import CLIENTS
from vigilo.grading.clients.simulation import simulate_client

SNI = "a.test"
SITES = {
    "as it comes": SuiteOrder.CLIENT,
    "legacy": SuiteOrder.SERVER,
    "ChaCha first": SuiteOrder.SERVER,
    "RSA and ECDSA": SuiteOrder.SERVER,
    "two curves": SuiteOrder.CLIENT,
    "DH of 1024 bits": SuiteOrder.CLIENT,
}
# By OpenSSL's names for -groups, and by those it prints as the server's temporary key.
GROUPS = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "x25519": "X25519", "x448": "X448"}
PRINTED = {"prime256v1": "secp256r1", "X25519": "x25519", "X448": "x448"}
PROTOCOLS = {"TLSv1.0": "TLSv1", "TLSv1.1": "TLSv1.1", "TLSv1.2": "TLSv1.2", "TLSv1.3": "TLSv1.3"}
Handshake = tuple[str, str, str | None]
PHONE = Client(
    "a client that puts ChaCha20 first",
    ("TLSv1.2",),
    ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("x25519", "secp256r1"),
    (),
)


@pytest.fixture(scope="module")
def ports(authority: Authority) -> Iterator[dict[str, int]]:
    folder = Path(tempfile.mkdtemp(prefix="vigilo-clients-"))
    folder.chmod(0o755)
    rsa, ecdsa = authority.leaf(SNI, options=Options(key=rsa_key())), authority.leaf(SNI)
    with nginx(rsa, ecdsa, folder) as ports:
        yield ports
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("site", SITES)
async def test_real_handshakes_agree(ports: dict[str, int], site: str, tools: Tools) -> None:
    snapshot = await scan_target(full_request("127.0.0.1", ports[site], sni=SNI, protocol=Protocol.TLS), tools)
    await tools.close()
    posture = snapshot.posture
    assert posture is not None
    newest = max(posture.supporting(Support.ACCEPTED))
    assert {one.order for one in posture.versions if one.version == newest} <= {SITES[site], SuiteOrder.SERVER}
    told = 0
    for client in map(as_openssl_can, (*CLIENTS, PHONE)):
        worked_out = simulate_client(client, posture, None)
        assert worked_out.connects is not Connects.UNKNOWN, (client.name, worked_out)
        real = handshake(ports[site], client)
        if worked_out.connects is Connects.NO and "refuses" in (worked_out.reason or ""):
            continue  # how short a prime may be is the client's own limit, which s_client does not have
        if worked_out.suite is None:
            assert real is None, client.name
            continue
        assert real is not None, client.name
        assert real[:2] == (worked_out.version, worked_out.suite), client.name
        # Whose order of groups counts below TLS 1.3 is not measured: where it matters no group is told.
        assert worked_out.group in {real[2], None}, client.name
        told += worked_out.group is not None
    assert told or site.startswith("DH")


def as_openssl_can(client: Client) -> Client:
    """The client without what this machine's OpenSSL does not have."""
    return replace(
        client,
        versions=tuple(version for version in client.versions if version in PROTOCOLS),
        suites=tuple(suite for suite in client.suites if suite in openssl_names()),
        groups=tuple(group for group in client.groups if group in GROUPS),
    )


def handshake(port: int, client: Client) -> Handshake | None:
    """Version, suite and group of a handshake with that client's offer; None when there was none."""
    names = [openssl_names()[suite] for suite in client.suites]
    old = [name for name in names if not name.startswith("TLS_")]
    new = [name for name in names if name.startswith("TLS_")]
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", SNI]
    command += ["-min_protocol", PROTOCOLS[client.versions[-1]], "-max_protocol", PROTOCOLS[client.versions[0]]]
    command += ["-cipher", f"{':'.join(old)}:@SECLEVEL=0", "-groups", ":".join(GROUPS[one] for one in client.groups)]
    command += ["-ciphersuites", ":".join(new)] if new else []
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20)
    found = re.search(r"^New, .*Cipher is ([A-Z0-9_-]+)$", done.stdout, re.MULTILINE)
    if found is None:
        assert "alert" in done.stderr, done.stderr
        return None
    version = re.search(r"^ +Protocol *: (\S+)$|^New, (TLSv1\.3),", done.stdout, re.MULTILINE)
    assert version is not None
    spoken = {"TLSv1": "TLSv1.0"}.get(version[1], version[1]) if version[1] else "TLSv1.3"
    iana = {name: suite for suite, name in openssl_names().items()}[found[1]]
    key = re.search(r"^Server Temp Key: (?:ECDH, )?([A-Za-z0-9]+),", done.stdout, re.MULTILINE)
    group = PRINTED.get(key[1], key[1]) if key and key[1] != "DH" else None
    return spoken, iana, group


@cache
def openssl_names() -> dict[str, str]:
    """OpenSSL's name of each suite it has, by IANA name."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    command = ["openssl", "ciphers", "-s", "-stdname", "ALL:@SECLEVEL=0"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.splitlines()
    return {line.split()[0]: line.split()[2] for line in lines if line.strip()}
