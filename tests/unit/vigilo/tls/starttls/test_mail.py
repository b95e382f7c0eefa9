from __future__ import annotations

import pytest

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls.mail import MailService, mail_service


@pytest.mark.parametrize(
    ("port", "protocol", "service"),
    [
        (25, None, MailService.TRANSPORT),
        (587, Protocol.AUTO, MailService.TRANSPORT),
        (465, Protocol.TLS, MailService.TRANSPORT),
        (143, None, MailService.MAILBOX),
        (110, Protocol.POP3, MailService.MAILBOX),
        (993, Protocol.TLS, MailService.MAILBOX),
        (995, None, MailService.MAILBOX),
        (10025, Protocol.SMTP, MailService.TRANSPORT),
        (25, Protocol.TLS, None),
        (443, Protocol.TLS, None),
        (389, Protocol.LDAP, None),
        (636, Protocol.TLS, None),
        (25, Protocol.XMPP, None),
    ],
)
def test_whose_log_a_connection_is_a_line_of(port: int, protocol: Protocol | None, service: MailService | None) -> None:
    assert mail_service(port, protocol) is service
