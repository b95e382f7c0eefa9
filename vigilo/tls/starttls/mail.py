"""Mail servers, whose watchdogs ban whoever leaves handshakes unfinished. Pure.

fail2ban's filters in their strictest mode count each line that postfix ("lost connection after STARTTLS") or dovecot
("no auth attempts") writes about such a client; five within ten minutes are a ban by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls import protocols


class MailService(StrEnum):
    """Who writes the log: one for all ports of mail transport and submission, one for all mailbox ports."""

    TRANSPORT = "transport"
    MAILBOX = "mailbox"


_SERVICES: Mapping[Protocol, MailService] = MappingProxyType(
    {Protocol.SMTP: MailService.TRANSPORT, Protocol.IMAP: MailService.MAILBOX, Protocol.POP3: MailService.MAILBOX}
)


def mail_service(port: int, protocol: Protocol | None) -> MailService | None:
    """Which mail service answers there; None = none. `protocol` is what is known to be spoken, None or `auto` nothing.

    `tls` on a port where mail is spoken inside TLS is mail, too.
    """
    if protocol is not None and protocol in _SERVICES:
        return _SERVICES[protocol]
    inside = protocols.DIRECT_PORTS.get(port)
    if inside is None and protocol in {None, Protocol.AUTO}:
        inside = protocols.PORTS.get(port)
    return None if inside is None else _SERVICES.get(inside)
