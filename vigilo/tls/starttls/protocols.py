"""Which protocol a port speaks, its dialogue, and how to leave it politely. Pure tables and choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vigilo.events.hosts import Protocol
from vigilo.tls.starttls import ftp, imap, ldap, mysql, pop3, postgresql, smtp, xmpp
from vigilo.tls.starttls.dialogue import Dialogue, Party, Peer, Script

PORTS: Mapping[int, Protocol] = MappingProxyType(
    {
        21: Protocol.FTP,
        25: Protocol.SMTP,
        110: Protocol.POP3,
        143: Protocol.IMAP,
        389: Protocol.LDAP,
        587: Protocol.SMTP,
        2525: Protocol.SMTP,
        3268: Protocol.LDAP,
        3306: Protocol.MYSQL,
        5222: Protocol.XMPP,
        5269: Protocol.XMPP,
        5432: Protocol.POSTGRESQL,
    }
)
"""Ports where TLS usually comes after a dialogue."""

DIRECT_PORTS: Mapping[int, Protocol] = MappingProxyType(
    {465: Protocol.SMTP, 636: Protocol.LDAP, 990: Protocol.FTP, 993: Protocol.IMAP, 995: Protocol.POP3}
    | {3269: Protocol.LDAP, 5223: Protocol.XMPP, 5270: Protocol.XMPP}
)
"""Ports where TLS comes first and this protocol is spoken inside (RFC 8314 and IANA's registry)."""

_SCRIPTS: Mapping[Protocol, Callable[[Peer, Party], Script]] = MappingProxyType(
    {
        Protocol.SMTP: smtp.script,
        Protocol.IMAP: imap.script,
        Protocol.POP3: pop3.script,
        Protocol.FTP: ftp.script,
        Protocol.LDAP: ldap.script,
        Protocol.XMPP: xmpp.script,
        Protocol.POSTGRESQL: postgresql.script,
        Protocol.MYSQL: mysql.script,
    }
)
SPOKEN = frozenset(_SCRIPTS)
"""Every protocol with a dialogue."""

GREETING = frozenset({Protocol.SMTP, Protocol.IMAP, Protocol.POP3, Protocol.FTP, Protocol.MYSQL})
"""Protocols in which the server speaks first."""

_GOODBYES: Mapping[Protocol, bytes] = MappingProxyType(
    {
        Protocol.SMTP: smtp.GOODBYE,
        Protocol.IMAP: imap.GOODBYE,
        Protocol.POP3: pop3.GOODBYE,
        Protocol.FTP: ftp.GOODBYE,
        Protocol.LDAP: ldap.GOODBYE,
    }
)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What to say inside TLS before leaving; `after_greeting`: only once the server has spoken there."""

    words: bytes
    after_greeting: bool = False


def dialogue(protocol: Protocol, party: Party) -> Dialogue:
    """A fresh dialogue. Raises KeyError for `auto` and `tls`, which have none."""
    return Dialogue(_SCRIPTS[protocol], party)


def farewell_after_dialogue(protocol: Protocol, party: Party) -> Farewell | None:
    """How to leave after STARTTLS. None where the protocol has no word for it before a login (PostgreSQL, MySQL)."""
    if protocol is Protocol.XMPP:
        return Farewell(xmpp.farewell(party))
    words = _GOODBYES.get(protocol)
    return None if words is None else Farewell(words)


def farewell_on_direct_port(port: int) -> Farewell | None:
    """How to leave a port where TLS came first. Servers log a client that leaves without a word, and ban for it."""
    protocol = DIRECT_PORTS.get(port)
    words = None if protocol is None else _GOODBYES.get(protocol)
    return None if protocol is None or words is None else Farewell(words, after_greeting=protocol in GREETING)


def first_choice(asked: Protocol, port: int, known: Protocol | None) -> Protocol:
    """What to try first: what people say, else what was spoken last time (`known`), else what the port is for."""
    if asked is not Protocol.AUTO:
        return asked
    return known or PORTS.get(port, Protocol.TLS)


def recognise(first: bytes, port: int) -> Protocol | None:
    """Whose banner these bytes are, sent where TLS was expected; None = of no protocol that has STARTTLS here."""
    if first.startswith((b"+OK", b"-ERR")):
        return Protocol.POP3
    if first.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        return Protocol.IMAP
    if first[:4] in {b"220 ", b"220-"}:
        ftp_like = b"ftp" in first.lower() or (b"smtp" not in first.lower() and port % 100 == 21)
        return Protocol.FTP if ftp_like else Protocol.SMTP
    if len(first) > 5 and first[3:5] in {b"\x00\x0a", b"\x00\xff"}:  # packet 0: a greeting of version 10, or an error
        return Protocol.MYSQL
    if first.startswith(b"<") and (b"stream:" in first or b"jabber:" in first):
        return Protocol.XMPP
    return None
