"""Servers of TLS libraries: gnutls-serv of the distribution, and SSL 2 in front of a server that lacks it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.connections import accepting
from tests.fakes.distribution import running, unpacked
from tests.fakes.pki import Issued
from tests.fakes.relay import carry
from tests.fakes.scanner_process import free_port
from tests.fakes.tls_bytes import ssl2_hello

_IO_SECONDS = 10.0
_CLIENT_HELLO = 1


@contextmanager
def gnutls_server(leaf: Issued, folder: Path, priority: str) -> Iterator[int]:
    """The port of a gnutls-serv with that priority string; it follows its client's order unless told otherwise."""
    files, port = unpacked("gnutls-bin", "libgnutls30", "libgnutls-dane0", "libunbound8"), free_port()
    (folder / "cert.pem").write_bytes(leaf.chain_pem())
    (folder / "key.pem").write_bytes(leaf.key_pem)
    command = ["gnutls-serv", "--http", "--port", str(port), "--priority", priority]
    command += ["--x509certfile", str(folder / "cert.pem"), "--x509keyfile", str(folder / "key.pem")]
    with running(command, files=files, etc={}, folder=folder, port=port):
        yield port


@contextmanager
def ssl2_in_front_of(target_port: int, ciphers: tuple[int, ...]) -> Iterator[int]:
    """A port that answers SSL 2's CLIENT-HELLO itself, by a SERVER-HELLO with those ciphers, and passes on the rest.

    The handshake goes no further: no library of today can finish one.
    """

    def serve(client: socket.socket) -> None:
        client.settimeout(_IO_SECONDS)
        with client, contextlib.suppress(OSError):
            head = client.recv(3, socket.MSG_PEEK)
            if len(head) == 3 and head[0] & 0x80 and head[2] == _CLIENT_HELLO:
                client.recv(4096)
                client.sendall(ssl2_hello(ciphers))
                client.recv(4096)
                return
            carry(client, target_port)

    with accepting(serve) as port:
        yield port
