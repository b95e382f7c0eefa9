"""Text that people type, as types: what is wrong is said with what is allowed. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from vigilo.events.hostnames import InvalidHostname, is_ip_literal, normalise_hostname
from vigilo.events.text import visible

_NUMBER: Final = re.compile(r"[-+]?[\d_]*\.?[\d_]*(e[-+]?\d+)?", re.IGNORECASE)
_LINES: Final = frozenset("\n\t")
TAGS_MAX: Final = 32
REFERENCES_MAX: Final = 20


def refused(kind: str, problem: str, allowed: str) -> PydanticCustomError:
    """The validation error that names what was wrong and what is allowed."""
    # Braces are placeholders in pydantic's templates, hence the contexts instead of ready text.
    return PydanticCustomError(kind, "{problem}", {"problem": problem, "allowed": allowed})


def hostname(text: str) -> str:
    """The canonical name or address; see vigilo.events.hostnames."""
    try:
        return normalise_hostname(text)
    except InvalidHostname as error:
        raise refused("hostname", error.reason, error.allowed) from None


def name_only(text: str) -> str:
    """A canonical name that is no IP address: what SNI may carry (RFC 6066 section 3)."""
    name = hostname(text)
    if is_ip_literal(name):
        raise refused("server_name", f"{name} is an address", "a host name; addresses are not sent as SNI")
    return name


def address_only(text: str) -> str:
    """An IPv4 or IPv6 address in its shortest form."""
    name = hostname(text)
    if not is_ip_literal(name):
        raise refused("address", f"{visible(text, limit=80)} is not an IP address", "an IPv4 or IPv6 address")
    return name


def line(text: str) -> str:
    """One line: outer spaces removed, no control, bidirectional or other hidden characters."""
    stripped = text.strip()
    _refuse_hidden(stripped, "one line of text without control characters")
    return stripped


def lines(text: str) -> str:
    """Text with line breaks and tabs, but no other control characters."""
    _refuse_hidden("".join(char for char in text if char not in _LINES), "text without control characters")
    return text


def _refuse_hidden(text: str, allowed: str) -> None:
    for char in text:
        # Cf is refused with the rest except joiners, which some scripts need (Unicode TR 31, section 2.3).
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and char not in "\u200c\u200d":
            raise refused("hidden_character", f"it contains the hidden character {visible(char)}", allowed)


def tag(text: str) -> str:
    """A label: one line of 1 to 64 characters, no commas (lists are written with them)."""
    stripped = line(text)
    if not 1 <= len(stripped) <= 64 or "," in stripped:
        raise refused("tag", f"{visible(stripped, limit=80)!r} is no tag", "1 to 64 characters, no commas")
    return stripped


def instant_only(value: object) -> object:
    """Text, or an instant that code made: a bare number is a point in time to pydantic, and to nobody who types one."""
    if isinstance(value, datetime) or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
        return value
    raise refused("instant", "it is not a point in time", "date and time with a zone, such as 2026-11-01T00:00:00Z")


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Each value once, in the order of first mention."""
    return tuple(dict.fromkeys(values))


def web_link(text: str) -> str:
    """An absolute http or https URL, shown to people and never fetched by us."""
    allowed = "an http:// or https:// address of at most 2000 characters"
    stripped = line(text)
    try:
        parts = urlsplit(stripped)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in stripped
    except ValueError:
        good = False
    if not good or len(stripped) > 2000:
        raise refused("web_link", "it is not a web address", allowed)
    return stripped


Instant = Annotated[AwareDatetime, BeforeValidator(instant_only)]
Hostname = Annotated[str, AfterValidator(hostname)]
ServerName = Annotated[str, AfterValidator(name_only)]
IpAddress = Annotated[str, AfterValidator(address_only)]
Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(line)]
Name = Annotated[str, StringConstraints(max_length=200, min_length=1), AfterValidator(line)]
Notes = Annotated[str, StringConstraints(max_length=4000), AfterValidator(lines)]
Tag = Annotated[str, AfterValidator(tag)]
WebLink = Annotated[str, AfterValidator(web_link)]
