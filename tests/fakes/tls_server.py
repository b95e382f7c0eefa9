"""Real TLS servers on loopback, in threads: any chain, version, cipher, staple, client certificate, swappable."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from OpenSSL import SSL, crypto

from tests.fakes.pki import Issued

_IO_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server serves. `chain` replaces the leaf's own; versions are SSL.TLS1_VERSION to SSL.TLS1_3_VERSION.

    `staples` are given one per connection, in order, the last one for ever; None = no staple.
    """

    leaf: Issued
    chain: Sequence[x509.Certificate] | None = None
    oldest: int = SSL.TLS1_VERSION
    newest: int = SSL.TLS1_3_VERSION
    ciphers: bytes = b"ALL:!aNULL:@SECLEVEL=0"
    staples: Sequence[bytes | None] = (None,)
    alpn: Sequence[bytes] = ()
    refuse_unknown_alpn: bool = False
    demand_client_certificate: bool = False


@dataclass(slots=True)
class TlsServer:
    """Accepts, shakes hands, reads until the client leaves. Use as a context manager; `serving` may be swapped."""

    serving: Serving
    host: str = "127.0.0.1"
    port: int = 0
    accepted: int = 0
    completed: int = 0
    clean_closes: int = 0
    server_names: list[bytes | None] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _listener: socket.socket | None = None
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._listener is not None:
            # A blocked accept() does not notice close(), only shutdown().
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        if self._thread is not None:
            self._thread.join(_IO_SECONDS)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                number, self.accepted = self.accepted, self.accepted + 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(_IO_SECONDS)
        serving = self.serving
        try:
            with connection:
                self._converse(connection, serving, serving.staples[min(number, len(serving.staples) - 1)])
        except (SSL.Error, OSError, EOFError, ValueError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")

    def _converse(self, connection: socket.socket, serving: Serving, staple: bytes | None) -> None:
        tls = SSL.Connection(_context(serving, staple), None)
        tls.set_accept_state()
        _until_done(tls, connection)
        self.completed += 1
        self.server_names.append(tls.get_servername())
        with contextlib.suppress(SSL.ZeroReturnError, EOFError):
            while True:
                try:
                    tls.recv(4096)
                except SSL.WantReadError:
                    _feed(tls, connection)
        if tls.get_shutdown() & SSL.RECEIVED_SHUTDOWN:
            self.clean_closes += 1


def _until_done(tls: SSL.Connection, connection: socket.socket) -> None:
    while True:
        try:
            tls.do_handshake()
        except SSL.WantReadError:
            _flush(tls, connection)
            _feed(tls, connection)
        except (SSL.Error, ValueError):
            _flush(tls, connection)  # the alert
            raise
        else:
            _flush(tls, connection)
            return


def _flush(tls: SSL.Connection, connection: socket.socket) -> None:
    with contextlib.suppress(SSL.WantReadError):
        while True:
            connection.sendall(tls.bio_read(65536))


def _feed(tls: SSL.Connection, connection: socket.socket) -> None:
    data = connection.recv(65536)
    if not data:
        raise EOFError("the client left")
    tls.bio_write(data)


def _context(serving: Serving, staple: bytes | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(serving.oldest)
    context.set_max_proto_version(serving.newest)
    context.set_cipher_list(serving.ciphers)
    context.use_privatekey(crypto.PKey.from_cryptography_key(serving.leaf.key))
    first, *others = serving.leaf.chain if serving.chain is None else serving.chain
    context.use_certificate(crypto.X509.from_cryptography(first))
    for other in others:
        context.add_extra_chain_cert(crypto.X509.from_cryptography(other))
    if staple is not None:
        context.set_ocsp_server_callback(lambda *_: staple)
    if serving.demand_client_certificate:
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    if serving.alpn:
        context.set_alpn_select_callback(lambda _, offered: _choose(serving, offered))
    return context


def _choose(serving: Serving, offered: list[bytes]) -> Any:
    for protocol in serving.alpn:
        if protocol in offered:
            return protocol
    if serving.refuse_unknown_alpn:
        raise ValueError("no application protocol")  # pyOpenSSL turns this into the alert
    return SSL.NO_OVERLAPPING_PROTOCOLS
