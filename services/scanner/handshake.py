"""One TLS handshake over a connected socket: OpenSSL through pyOpenSSL's memory buffers, never blocking.

Nothing is verified here and everything is accepted down to TLS 1.0 and 1024-bit RSA: the scanner records, the grader
judges. What OpenSSL refuses for what it is (too large, too weak, too old) and not for being wrong, is read on by
ourselves on the same connection; a server that it cannot even greet is left to own_reader.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from OpenSSL import SSL, crypto

from services.scanner.conversation import Conversation
from services.scanner.demand import find_out
from services.scanner.exchange import receive, send
from services.scanner.own_reader import read_on
from services.scanner.peer_words import alert_name, describe_banner, looks_like_tls
from services.scanner.sightings import HandshakeSeen, Unsuccessful
from services.scanner.tls_failed import WRONG, TlsFailed
from services.scanner.transcript import Transcript
from vigilo.events.scans import Outcome
from vigilo.tls.client_certificates import describe_demand
from vigilo.tls.suites import iana_name
from vigilo.tls.wire.certificate_messages import AUTHORITIES_MAX, Authorities

HANDSHAKE_MAX = 1024 * 1024  # bytes received until the handshake must be finished
_CHUNK = 64 * 1024
_BANNER_MAX = 512
_FATAL = 2  # the level of an alert; warnings do not end a handshake
_BANNER_SECONDS = 0.3  # for the rest of a banner's first line
# Anonymous and unencrypted suites are left out: a server that prefers them would show no certificate.
_CIPHERS = b"ALL:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0"
# All of RFC 8446 appendix B.4: OpenSSL leaves out CCM by itself, and some small devices have nothing else.
_CIPHERS_13 = (
    b"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
    b"TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
)
_VERSIONS = {"TLSv1": "TLSv1.0"}


@dataclass(slots=True)
class _Heard:
    """What OpenSSL's callbacks tell while a handshake goes on."""

    staple: bytes | None = None
    client_certificate_demanded: bool = False
    alert: int | None = None
    transcript: Transcript = field(default_factory=Transcript)


def make_context(*, newest: int = SSL.TLS1_3_VERSION) -> SSL.Context:
    """A client context, one for all scans of a process; nothing is cached between handshakes."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(newest)
    context.set_cipher_list(_CIPHERS)
    context.set_tls13_ciphersuites(_CIPHERS_13)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_ocsp_client_callback(_on_staple)
    context.set_info_callback(_on_progress)
    context.set_keylog_callback(_on_secret)
    return context


def _on_secret(connection: SSL.Connection, line: bytes) -> None:
    connection.get_app_data().transcript.note_secret(line)


def _on_staple(connection: SSL.Connection, response: bytes, _: object) -> bool:
    connection.get_app_data().staple = response or None
    return True


def _on_progress(connection: SSL.Connection, where: int, code: int) -> None:
    heard: _Heard = connection.get_app_data()
    if where & SSL.SSL_CB_ALERT:
        if where & SSL.SSL_CB_READ:
            heard.alert = code & 0xFF if code >> 8 == _FATAL else heard.alert
    elif where & SSL.SSL_CB_LOOP and b"read server certificate request" in connection.get_state_string():
        heard.client_certificate_demanded = True


async def shake_hands(
    connection: socket.socket,
    context: SSL.Context,
    *,
    sni: str | None,
    alpn: Sequence[bytes],
    deadline: float,
    session: SSL.Session | None = None,
    tickets: bool = True,
) -> Conversation:
    """An open conversation and what its handshake showed; leave it. `deadline` in the loop's time.

    `alpn` is offered in this order, nothing when empty; `session` (of the same context) for resumption. A server that
    demands a client certificate is seen as well as any other: its chain comes before the demand. The socket stays open.
    Raises TlsFailed: tls-alert, tls-failure, tls-timeout, not-tls, reset, closed.
    """
    heard = _Heard()
    tls = SSL.Connection(context, None)
    tls.set_app_data(heard)
    tls.set_connect_state()
    if sni is not None:
        tls.set_tlsext_host_name(sni.encode("ascii"))
    if alpn:
        tls.set_alpn_protos(list(alpn))
    if session is not None:
        tls.set_session(session)
    if not tickets:
        tls.set_options(SSL.OP_NO_TICKET)
    tls.request_ocsp()
    dialogue = _Dialogue(connection, tls, heard, deadline)
    try:
        is_open = await dialogue.run()
    except TlsFailed as failure:
        seen = await dialogue.read_on() if failure.refused else None
        if seen is None:
            raise
        return Conversation(connection, tls, seen, heard.transcript, is_open=False)
    seen = await _with_demand(connection, tls, dialogue, is_open=is_open)
    demand = seen.client_certificate
    is_open = is_open and (demand is None or demand.required is not True)
    return Conversation(connection, tls, seen, heard.transcript, is_open=is_open)


async def _with_demand(
    connection: socket.socket, tls: SSL.Connection, dialogue: _Dialogue, *, is_open: bool
) -> HandshakeSeen:
    """The same, and what is known of the server's demand for a certificate, if it made one."""
    seen = dialogue.seen()
    if not seen.client_certificate_demanded:
        return seen
    required: bool | None = True
    if is_open:
        late = seen.version == "TLSv1.3"
        required = await find_out(connection, tls, deadline=dialogue.deadline) if late else False
    listed = tls.get_client_ca_list()
    authorities = Authorities(tuple(name.der() for name in listed[:AUTHORITIES_MAX]), len(listed))
    return replace(seen, client_certificate=describe_demand(authorities, required=required))


class _Dialogue:
    """Carries bytes between OpenSSL and the socket until the handshake has ended, one way or another."""

    def __init__(self, connection: socket.socket, tls: SSL.Connection, heard: _Heard, deadline: float) -> None:
        self._socket = connection
        self._tls = tls
        self._heard = heard
        self.deadline = deadline
        self._received = 0
        self._finished = False

    async def run(self) -> bool:
        """True when the handshake has finished, False when the server left for want of a certificate of ours."""
        try:
            await self._until_finished()
        except TlsFailed as failure:
            if not self._is_about_our_certificate(failure):
                raise
        return self._finished

    async def read_on(self) -> HandshakeSeen | None:
        """What the server says beyond what our library would hear; None without a chain."""
        offered = frozenset(iana_name(name) for name in self._tls.get_cipher_list())
        return await read_on(self._socket, self._heard.transcript, offered, deadline=self.deadline)

    async def _until_finished(self) -> None:
        while not self._advance():
            await self._flush()
            self._tls.bio_write(await self._receive())
        await self._flush()
        self._finished = True

    def seen(self) -> HandshakeSeen:
        """What is known by now. The group is asked for only when finished: OpenSSL crashes on it before."""
        chain = self._chain()
        if not chain and not self._finished:
            return HandshakeSeen(client_certificate_demanded=self._heard.client_certificate_demanded)
        suite, version = self._tls.get_cipher_name(), self._tls.get_protocol_version_name()
        alpn = self._tls.get_alpn_proto_negotiated()
        return HandshakeSeen(
            version=_VERSIONS.get(version, version),
            cipher_suite=None if suite is None else iana_name(suite),
            group=self._tls.get_group_name() if self._finished else None,
            alpn=alpn.decode("utf-8", errors="backslashreplace") or None,
            chain=chain,
            staple=self._heard.staple,
            client_certificate_demanded=self._heard.client_certificate_demanded,
            hello_extensions=self._heard.transcript.hello_extensions(),
        )

    def _chain(self) -> tuple[bytes, ...]:
        served = self._tls.get_peer_cert_chain() or ()
        return tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate) for certificate in served)

    def _advance(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise self._failure(error) from error
        return True

    def _is_about_our_certificate(self, failure: TlsFailed) -> bool:
        """The server demanded a certificate, got none and left: nothing is wrong with it, and its chain is known."""
        left = failure.outcome in {Outcome.TLS_ALERT, Outcome.CLOSED, Outcome.RESET}
        return left and self._heard.client_certificate_demanded and bool(failure.seen.chain)

    def _failure(self, error: SSL.Error) -> TlsFailed:
        if self._heard.alert is not None:
            name = alert_name(self._heard.alert)
            return self._failed(Outcome.TLS_ALERT, f"the server ended the handshake with the alert {name}")
        reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
        words = "; ".join(reason[-1] for reason in reasons if reason[-1]) or type(error).__name__
        refused = not any(reason[-1] in WRONG for reason in reasons)
        return self._failed(Outcome.TLS_FAILURE, f"our TLS library ended the handshake: {words}", refused=refused)

    def _failed(self, outcome: Outcome, detail: str, *, banner: bytes = b"", refused: bool = False) -> TlsFailed:
        return TlsFailed(outcome, detail, seen=self.seen(), alert=self._heard.alert, banner=banner, refused=refused)

    async def _flush(self) -> None:
        while True:
            try:
                data = self._tls.bio_read(_CHUNK)
            except SSL.WantReadError:
                return
            try:
                await send(self._socket, data, deadline=self.deadline, where=self._where())
            except Unsuccessful as failure:
                raise self._failed(failure.outcome, failure.detail) from failure

    async def _receive(self) -> bytes:
        try:
            data = await receive(self._socket, _CHUNK, deadline=self.deadline, where=self._where())
        except Unsuccessful as failure:
            raise self._failed(failure.outcome, failure.detail) from failure
        if self._received == 0 and not looks_like_tls(data):
            banner = await self._whole_banner(data)
            raise self._failed(Outcome.NOT_TLS, describe_banner(banner), banner=banner)
        self._heard.transcript.note(data)
        self._received += len(data)
        if self._received > HANDSHAKE_MAX:
            raise self._failed(Outcome.TLS_FAILURE, f"the handshake is larger than {HANDSHAKE_MAX} bytes")
        return data

    def _where(self) -> str:
        if self._received == 0:
            return "after our ClientHello, before its first byte"
        return f"during the handshake, after {self._received} bytes"

    async def _whole_banner(self, data: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(self.deadline, loop.time() + _BANNER_SECONDS)):
                while b"\n" not in data and len(data) < _BANNER_MAX:
                    more = await loop.sock_recv(self._socket, _BANNER_MAX)
                    if not more:
                        break
                    data += more
        except (TimeoutError, OSError):
            pass
        return data[:_BANNER_MAX]
