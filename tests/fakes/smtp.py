"""A real mail server on loopback (aiosmtpd): STARTTLS or TLS, AUTH, and replies as it is told."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.pki import Authority

USER = "vigilo"
PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Received:
    """One mail, as it came."""

    sender: str
    to: tuple[str, ...]
    raw: bytes
    encrypted: bool
    user: str | None

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed."""
        parsed = email.message_from_bytes(self.raw, policy=SMTP_POLICY)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """What came in. `replies` by recipient, `data_reply` and `sender_reply` take the place of "250 OK".

    `silent_after_data`: it takes the mail and never says so.
    """

    port: int = 0
    mails: list[Received] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    sender_reply: str | None = None
    data_reply: str | None = None
    silent_after_data: bool = False

    async def handle_MAIL(  # noqa: N802 - names and shape are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes the sender."""
        envelope.mail_from = address
        return self.sender_reply or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes a recipient, or not."""
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Takes the mail, or not."""
        if self.data_reply is not None:
            return self.data_reply
        user = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else None
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        assert server.transport is not None
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        self.mails.append(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, encrypted, user))
        if self.silent_after_data:
            await asyncio.sleep(60)
        return "250 OK"


def _authenticate(*args: Any) -> AuthResult:
    login = args[-1]
    right = isinstance(login, LoginPassword) and login == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=login if right else None)


def server_context(authority: Authority, folder: Path, *names: str) -> ssl.SSLContext:
    """A server's context with a leaf for the names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.leaf(*names).load_into(context, folder)
    return context


@asynccontextmanager
async def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, auth: bool = False
) -> AsyncIterator[MailServer]:
    """A mail server for as long as the block lasts. With `auth` it takes mails from USER alone."""
    fake = MailServer()
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        return SMTP(
            fake,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=auth,
            auth_require_tls=tls is None,
            authenticator=_authenticate,
            enable_SMTPUTF8=True,
            hostname="mx.test",
            loop=loop,
        )

    server = await loop.create_server(made, "127.0.0.1", 0, ssl=tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
