"""E-mail: one message with a text and an HTML part. Pure but for reading its own template.

Sources: RFC 5322 (3.6.4: Message-ID, References), RFC 3834 section 5 (Auto-Submitted), RFC 2047 (what is not ASCII in
a header), done by the standard library's email.message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Final
from uuid import UUID

import idna
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from services.notifier.channels.shrinking import clip
from services.notifier.channels.wording import Wording, moment, worded
from services.notifier.tellings import Telling
from vigilo.events.rules import Severity

SUBJECT_MAX: Final = 200
# The API stores mailboxes alone; what could end one in a header or in a command is kept out here too.
_NOT_IN_ADDRESSES: Final = re.compile(r"[\x00-\x20\x7f<>,;()\[\]\\\"]")
_CALM: Final = "#1a7f37"
_COLOURS: Final = {Severity.CRITICAL: "#b3261e", Severity.WARNING: "#b35900", Severity.INFO: "#1f5fbf"}


def render(telling: Telling, *, public_url: str, sender: str, to: Sequence[str], delivery_id: UUID) -> EmailMessage:
    """The mail. The same telling and delivery always give the same headers, Message-ID included.

    Raises ValueError for addresses that cannot stand in a header.
    """
    words = worded(telling, public_url=public_url)
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    written = ascii_address(address)
    domain = written.rpartition("@")[2]
    mail["From"] = Address(display_name=clip(name), addr_spec=written)
    mail["To"] = [Address(addr_spec=ascii_address(one)) for one in to]
    mail["Subject"] = clip(words.subject, limit=SUBJECT_MAX)
    mail["Date"] = format_datetime(words.at)
    mail["Message-ID"] = f"<{delivery_id}@{domain}>"
    if words.alert_id is not None:
        # No mail has this id. All of one alert answer to it, so that mail programs show them as one conversation.
        mail["In-Reply-To"] = mail["References"] = f"<alert.{words.alert_id}@{domain}>"
        mail["X-Vigilo-Alert"] = str(words.alert_id)
    mail["X-Vigilo-Severity"] = words.severity.value
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"  # what Exchange heeds instead of Auto-Submitted
    mail.set_content(as_text(words), cte="quoted-printable")
    mail.add_alternative(_as_html(words), subtype="html", cte="quoted-printable")
    return mail


def ascii_address(address: str) -> str:
    """The address as it stands in headers and commands: its domain as A-labels (RFC 5890).

    Raises ValueError for what is no mailbox, or one whose local part not every mail server would take (RFC 6531).
    """
    local, _, domain = address.rpartition("@")
    if not local or not local.isascii() or _NOT_IN_ADDRESSES.search(address):
        raise ValueError("not an address that mail can be sent to")
    # idna.IDNAError is a ValueError
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"


def as_text(words: Wording) -> str:
    """What a mail program without HTML shows."""
    parts = [words.headline]
    if words.text:
        parts.append(words.text)
    if words.facts:
        width = max(len(fact.label) for fact in words.facts) + 2
        parts.append("\n".join(f"{fact.label + ':':<{width}}{fact.value}" for fact in words.facts))
    if words.lines:
        parts.append("\n".join(f"- {line}" for line in words.lines))
    if words.more:
        parts.append(f"and {words.more:,} more")
    if links := words.safe_links:
        parts.append("\n".join(f"{link.text}: {link.url}" for link in links))
    parts.append(f"-- \nVigilo, {moment(words.at)}")
    return "\n\n".join(parts) + "\n"


def _as_html(words: Wording) -> str:
    colour = _CALM if words.calm else _COLOURS[words.severity]
    return _template().render(words=words, links=words.safe_links, colour=colour, at=moment(words.at))


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.notifier.channels"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("mail.html.j2")
