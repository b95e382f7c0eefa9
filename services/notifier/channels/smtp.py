"""E-mail channels: one SMTP dialogue for each mail, with the operator's mail server.

Source: RFC 5321 (4.2.1: 4yz is tried again, 5yz is not), RFC 3207 (STARTTLS), RFC 4954 (AUTH).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from time import monotonic
from typing import Final
from uuid import UUID

import aiosmtplib
from pydantic import ValidationError

from services.notifier.addresses import checked_address
from services.notifier.channels.mail import ascii_address, render
from services.notifier.delivery import MISCONFIGURED, Answer, Attempt
from services.notifier.http import ended, since, unsendable
from services.notifier.tellings import Telling
from vigilo.adapters.channel_credentials import EmailCredentials
from vigilo.adapters.egress import DeliveryEgress, EgressDenied
from vigilo.adapters.smtp_settings import SmtpSecurity, SmtpSettings

_PERMANENT: Final = 500
_GOODBYE_SECONDS: Final = 2.0


@dataclass
class _Progress:
    """How far a dialogue came: once the mail itself is on its way, no answer means that nobody knows."""

    data_sent: bool = False


class EmailChannel:
    """Sends mails, each on its own connection."""

    def __init__(
        self, settings: SmtpSettings, egress: DeliveryEgress, *, public_url: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._egress = egress
        self._public_url = public_url
        self._tls = tls or ssl.create_default_context()

    async def send(self, credentials: bytes, telling: Telling, *, delivery_id: UUID) -> Attempt:
        """One attempt. Accepted = the mail server took it for at least one recipient.

        The ledger then says how many were refused, by number: an address is nobody's business there.
        """
        started = monotonic()
        try:
            opened = EmailCredentials.model_validate_json(credentials)
            sender = self._sender()
            mail = render(telling, public_url=self._public_url, sender=sender, to=opened.to, delivery_id=delivery_id)
        except (ValidationError, ValueError, IndexError):  # IndexError: header parser, for some broken addresses
            return MISCONFIGURED
        progress = _Progress()
        try:
            async with asyncio.timeout(self._settings.smtp_timeout.total_seconds()):
                return await self._dialogue(mail, opened.to, progress, started)
        except (OSError, EgressDenied, ValueError, aiosmtplib.SMTPException) as error:
            return _failed(error, progress, started)

    def _sender(self) -> str:
        if self._settings.smtp_host is None or self._settings.smtp_from is None:
            raise ValueError("no mail server (VIGILO_SMTP_HOST)")
        return self._settings.smtp_from

    async def _dialogue(self, mail: EmailMessage, to: Sequence[str], progress: _Progress, started: float) -> Attempt:
        client = await self._connected()
        try:
            refused = await self._envelope(client, parseaddr(self._sender())[1], to)
            if len(refused) == len(to):
                return _answered(min(refused), started)  # one that may be tried again is enough to try again
            progress.data_sent = True
            await client.data(mail.as_bytes())
            lost = f"recipients-refused-{len(refused)}-of-{len(to)}" if refused else None
            attempt = Attempt(answer=Answer.ACCEPTED, error_class=lost, duration_ms=since(started))
        finally:
            await _goodbye(client)
        return attempt

    async def _connected(self) -> aiosmtplib.SMTP:
        settings, host = self._settings, self._settings.smtp_host or ""
        encrypted = settings.smtp_security is not SmtpSecurity.NONE
        address = await checked_address(self._egress, host, settings.smtp_port, encrypted=encrypted)
        client = aiosmtplib.SMTP(
            hostname=host,
            port=None,
            sock=await _socket(address, settings.smtp_port),
            use_tls=settings.smtp_security is SmtpSecurity.TLS,
            start_tls=False,
            tls_context=self._tls,
            local_hostname=ascii_address(parseaddr(self._sender())[1]).rpartition("@")[2],
            timeout=settings.smtp_timeout.total_seconds(),
        )
        try:
            await client.connect()
            if settings.smtp_security is SmtpSecurity.STARTTLS:
                await client.starttls(server_hostname=host)
            if settings.smtp_username is not None and settings.smtp_password is not None:
                await client.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        except BaseException:
            client.close()
            raise
        return client

    async def _envelope(self, client: aiosmtplib.SMTP, sender: str, to: Sequence[str]) -> list[int]:
        """Names sender and recipients; the codes of those who were refused."""
        await client.mail(ascii_address(sender))
        refused: list[int] = []
        for address in to:
            try:
                await client.rcpt(ascii_address(address))
            except aiosmtplib.SMTPRecipientRefused as error:
                refused.append(error.code)
        return refused


async def _socket(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """QUIT; what comes of it changes nothing any more."""
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        pass
    finally:
        client.close()


def _failed(error: Exception, progress: _Progress, started: float) -> Attempt:
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            # The operator's password, not this mail: it may be right again in a minute.
            return ended(Answer.REFUSED, "smtp-auth", started)
        case aiosmtplib.SMTPConnectResponseError() | aiosmtplib.SMTPHeloError():
            return ended(Answer.REFUSED, f"smtp-{error.code}", started)
        case aiosmtplib.SMTPResponseException():
            return _answered(error.code, started)
        case _ if progress.data_sent:
            timed_out = isinstance(error, TimeoutError)
            return ended(Answer.LOST, "timeout" if timed_out else "connection-lost", started)
        case _:
            return ended(Answer.REFUSED, _unsent(error), started)


def _answered(code: int, started: float) -> Attempt:
    """A reply as an answer. Its code is no HTTP status: a mail that was refused was definitely not received."""
    answer = Answer.INVALID if code >= _PERMANENT else Answer.REJECTED
    return ended(answer, f"smtp-{code}", started)


def _unsent(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    match error:
        case TimeoutError():
            return "timeout"
        case socket.gaierror() | EgressDenied() | ValueError():
            return unsendable(error)
        case OSError():
            return "connect"
        case _:
            return "smtp"  # no STARTTLS where it is demanded, no AUTH, words nobody understands
