"""The servers of the table's rows, real ones on loopback: each row has an address and a port of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.messages import ClientHello

from tests.fakes.connections import accepting
from tests.fakes.distribution import running, unpacked
from tests.fakes.library_servers import ssl2_in_front_of
from tests.fakes.scanner_process import free_port
from tests.fakes.starttls_server import SMTP, StarttlsServer
from tests.fakes.tls_server import Serving
from tests.grades.certificates import Certificates, Served, staple
from tests.grades.rows import InFront, Nginx, OpenSsl, Row, Smtp, TlsLite
from tests.grades.split_server import SplitServer
from tests.grades.table import ROWS

HTTPS_PORT = 8443
_SCSV, _RENEGOTIATION_INFO = 0x00FF, 0xFF01
_REASONS = {200: "OK", 301: "Moved Permanently", 403: "Forbidden"}
_ADDRESSES = {row.id: f"127.44.{1 + number // 200}.{1 + number % 200}" for number, row in enumerate(ROWS)}


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a row's server is."""

    address: str
    port: int


@contextmanager
def serving(row: Row, certificates: Certificates, folder: Path) -> Iterator[Listening]:
    """The row's server, up and answering. nginx's rows have one server each, too. Ends with the context."""
    address = _ADDRESSES[row.id]
    served = certificates.served(row.profile, address)
    with ExitStack() as stack:
        match row.server:
            case OpenSsl() as server:
                port = HTTPS_PORT if server.https else 8444
                fake = StarttlsServer(_serving(server, served), host=address, port=port, answer=_answer(server))
                yield Listening(address, stack.enter_context(fake).port)
            case Nginx() as server:
                stack.enter_context(_nginx(server, served, address, folder))
                yield Listening(address, HTTPS_PORT)
            case TlsLite() as server:
                yield Listening(address, stack.enter_context(_tlslite(server, served, address)))
            case InFront() as server:
                behind = stack.enter_context(StarttlsServer(_serving(OpenSsl(https=False), served)))
                if server.kind == "ssl2":
                    yield Listening("127.0.0.1", stack.enter_context(ssl2_in_front_of(behind.port, (0x010080,))))
                else:
                    split = SplitServer(served.leaf, served.chain, server.kind, behind.port)
                    yield Listening("127.0.0.1", stack.enter_context(split).port)
            case Smtp():
                plain = _serving(OpenSsl(https=False), served)
                fake = StarttlsServer(plain, host=address, port=2587, dialogue=SMTP)
                yield Listening(address, stack.enter_context(fake).port)


def _serving(server: OpenSsl, served: Served) -> Serving:
    return Serving(
        served.leaf,
        chain=served.chain,
        oldest=server.oldest,
        newest=server.newest,
        ciphers=f"{server.ciphers}:@SECLEVEL=0".encode(),
        staples=(None if server.staple is None else staple(server.staple, served),),
        demand_client_certificate=server.client_certificate,
    )


def _answer(server: OpenSsl) -> bytes:
    if not server.https:
        return b""
    lines = [f"HTTP/1.1 {server.status} {_REASONS[server.status]}"]
    if server.header is not None:
        lines.append(f"Strict-Transport-Security: {server.header}")
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()


_NGINX = """worker_processes 1;
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{control};
  }}
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    {lines}
    add_header Strict-Transport-Security "max-age=31536000" always;
    return 204;
  }}
}}
"""
# Any safe prime will do: what counts is its size. Made by `openssl dhparam 1024`.
_DH_1024 = """-----BEGIN DH PARAMETERS-----
MIGHAoGBAKzFI63l7myU5sSff7egndKWvXlvFJ8k8sAp9SxmbIIahyAF1z8xEea0
LrGBMkbzO/8w11hhaZTpaaXqdJ/ilR+NeZpmwxixu+qkLvwBnHil63/Yaqn/zWpi
0FoeFA3VmYj4bZrmY5hRhv9pSw48xV2vPBgO6pYgfQZ+vsn4j/z3AgEC
-----END DH PARAMETERS-----
"""
_FFDHE_2048 = ("openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048")


@contextmanager
def _nginx(server: Nginx, served: Served, address: str, folder: Path) -> Iterator[None]:
    files, control = unpacked("nginx"), free_port()
    pem = folder / "server.pem"
    pem.write_bytes(served.leaf.chain_pem(served.chain) + served.leaf.key_pem)
    pem.chmod(0o600)
    if any("dh1024" in line for line in server.lines):
        (folder / "dh1024.pem").write_text(_DH_1024)
    if any("dh2048" in line for line in server.lines):
        subprocess.run([*_FFDHE_2048, "-out", str(folder / "dh2048.pem")], check=True, capture_output=True, timeout=20)
    lines = "\n    ".join(line.replace("{folder}", str(folder)) for line in server.lines)
    config = _NGINX.format(folder=folder, control=control, address=address, port=HTTPS_PORT, lines=lines)
    (folder / "nginx.conf").write_text(config)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with running(command, files=files, etc={}, folder=folder, port=control):
        yield


class _BeforeRfc5746(TLSConnection):  # type: ignore[misc]
    """Knows nothing of secure renegotiation: overlooks both ways in which clients ask for it (RFC 5746 section 3.6)."""

    def _getMsg(self, *args: Any, **more: Any) -> Iterator[Any]:  # noqa: N802  # tlslite's own name
        for result in super()._getMsg(*args, **more):
            if isinstance(result, ClientHello):
                result.cipher_suites = [one for one in result.cipher_suites if one != _SCSV]
                result.extensions = [one for one in result.extensions or () if one.extType != _RENEGOTIATION_INFO]
            yield result


@contextmanager
def _tlslite(server: TlsLite, served: Served, address: str) -> Iterator[int]:
    chain, settings = X509CertChain(), HandshakeSettings()
    chain.parsePemList(served.leaf.chain_pem(served.chain).decode())
    settings.minVersion, settings.maxVersion = server.oldest, server.newest
    settings.versions = [one for one in settings.versions if server.oldest <= one <= server.newest]
    settings.cipherNames, settings.keyExchangeNames = list(server.ciphers), list(server.key_exchanges)
    settings.macNames = ["sha", "sha256", "sha384", "aead"]
    private = parsePEMKey(served.leaf.key_pem.decode(), private=True)

    def serve(connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(Exception):
            kind = TLSConnection if server.renegotiation_info else _BeforeRfc5746
            kind(connection).handshakeServer(certChain=chain, privateKey=private, settings=settings)

    with accepting(serve, address) as port:
        yield port
