"""TLS servers that are not ours and not of our library: `openssl s_server`, and tlslite-ng for old crypto."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey

from tests.fakes.connections import accepting
from tests.fakes.pki import Issued

_START_SECONDS = 10.0


@contextmanager
def openssl_server(leaf: Issued, folder: Path, *options: str) -> Iterator[int]:
    """The port of an `openssl s_server` with those options; skips the test where there is no openssl."""
    certificate, key = _pems(leaf)
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    port = _free_port()
    command = [_openssl(), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", *options]
    with (folder / "s_server.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "-cert", str(folder / "cert.pem"), "-key", str(folder / "key.pem")],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port)
            yield port
        finally:
            server.kill()
            server.communicate()


def openssl_suites(version: str, ciphers: str) -> list[str]:
    """What OpenSSL itself says a server with an RSA key offers, in order, by IANA name; `version` as `-tls1_2`."""
    command = [_openssl(), "ciphers", "-s", version, "-stdname", ciphers]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.splitlines()
    names = [line.split()[0] for line in lines if line.strip()]
    return [name for name in names if "ECDSA" not in name and "_DSS_" not in name and not name.startswith("TLS_AES")]


@contextmanager
def tlslite_server(
    leaf: Issued, *, ciphers: Sequence[str], key_exchanges: Sequence[str], newest: tuple[int, int] = (3, 3)
) -> Iterator[int]:
    """The port of a tlslite-ng server for SSL 3 to `newest`, with tlslite's names of ciphers and key exchanges."""
    certificate, key = _pems(leaf)
    chain, settings = X509CertChain(), HandshakeSettings()
    chain.parsePemList(certificate.decode())
    settings.minVersion, settings.maxVersion = (3, 0), newest
    settings.versions = [version for version in settings.versions if version <= newest]
    settings.cipherNames, settings.keyExchangeNames = list(ciphers), list(key_exchanges)
    settings.macNames = ["sha", "md5", "sha256", "aead"]
    private = parsePEMKey(key.decode(), private=True)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(Exception):
            TLSConnection(connection).handshakeServer(certChain=chain, privateKey=private, settings=settings)

    with accepting(serve) as port:
        yield port


def _pems(leaf: Issued) -> tuple[bytes, bytes]:
    key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return leaf.certificate.public_bytes(Encoding.PEM), key


def _openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("no openssl command here")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("openssl s_server did not start")
