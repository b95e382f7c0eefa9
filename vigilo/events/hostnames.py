"""Hostnames as people type them, brought to the one form that DNS, SNI and topic keys use. Pure.

Names: RFC 1123 section 2.1 with underscores allowed (they occur in practice), IDNA 2008 A-labels (RFC 5891) after the
UTS #46 non-transitional mapping. IP literals: RFC 5952 text for IPv6.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

from vigilo.events.text import visible

HOSTNAME_MAX = 253  # characters of the A-label form, without the root's dot (RFC 1035 section 2.3.4)
LABEL_MAX = 63

_ALLOWED = "a host name such as www.example.com, an internationalised name, or an IPv4 or IPv6 address; nothing else"
_ALLOWED_LABEL = "1 to 63 letters, digits, hyphens and underscores between dots, no hyphen at either end"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
# What inet_aton would read as a number: such a last label makes resolvers take the whole name for an IPv4 address.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")


class InvalidHostname(ValueError):
    """Text that is no hostname. `reason` says what is wrong, `allowed` what would be right; both are safe to show."""

    def __init__(self, reason: str, allowed: str = _ALLOWED) -> None:
        super().__init__(f"{reason}; allowed: {allowed}")
        self.reason = reason
        self.allowed = allowed


def normalise_hostname(text: str) -> str:
    """Lower case, IDNA A-labels, one trailing dot removed; an IP literal in its shortest form, without brackets.

    Idempotent. Raises InvalidHostname.
    """
    _refuse_what_is_no_name(text)
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    address = _ip_literal(bare)
    if address is not None:
        return str(address)
    mapped = _map(bare)
    name = ".".join(_label(label) for label in mapped.removesuffix(".").split("."))
    if len(name) > HOSTNAME_MAX:
        raise InvalidHostname(f"{len(name)} characters are too many", f"at most {HOSTNAME_MAX} characters")
    return _unless_numeric(name)


def is_ip_literal(hostname: str) -> bool:
    """True for an IPv4 or IPv6 address: no DNS question is asked and no SNI is sent (RFC 6066 section 3)."""
    return _ip_literal(hostname) is not None


def _refuse_what_is_no_name(text: str) -> None:
    if not text:
        raise InvalidHostname("the name is empty")
    if len(text) > 4 * HOSTNAME_MAX:
        raise InvalidHostname(f"{len(text)} characters are too many", f"at most {HOSTNAME_MAX} characters")
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cs"}:
            raise InvalidHostname(f"it contains the control character {visible(char)}")
        if char.isspace():
            raise InvalidHostname("it contains a space")
    if "://" in text:
        raise InvalidHostname("it begins with a scheme (as in https://)")
    for char, meaning in (
        ("/", "a path"),
        ("\\", "a backslash"),
        ("?", "a query"),
        ("#", "a fragment"),
        ("@", "a user name"),
        ("%", "a zone or an escape"),
        ("*", "a wildcard"),
    ):
        if char in text:
            raise InvalidHostname(f"it contains {meaning} ({char})")


def _ip_literal(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # ip_address takes digits of other scripts nowhere, but a zone it does: that is meaningful on one machine only.
    return None if isinstance(address, IPv6Address) and address.scope_id is not None else address


def _map(text: str) -> str:
    if ":" in text or "[" in text or "]" in text:
        raise InvalidHostname(
            "it contains a colon or brackets, but is no IPv6 address; the port has a field of its own"
        )
    if text.isascii():
        return text.lower()
    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise InvalidHostname(f"not an internationalised name: {visible(str(error), limit=160)}") from error


def _label(label: str) -> str:
    if not label:
        raise InvalidHostname("two dots follow each other, or the name begins with one", _ALLOWED_LABEL)
    ascii_label = label if label.isascii() else _to_a_label(label)
    if len(ascii_label) > LABEL_MAX:
        raise InvalidHostname(f"the label {visible(label, limit=40)} is longer than {LABEL_MAX}", _ALLOWED_LABEL)
    if not _LABEL.fullmatch(ascii_label):
        raise InvalidHostname(f"the label {visible(label, limit=40)!r} is not allowed", _ALLOWED_LABEL)
    if ascii_label.startswith("xn--"):
        _check_a_label(ascii_label)
    return ascii_label


def _to_a_label(label: str) -> str:
    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise InvalidHostname(f"not an internationalised name: {visible(str(error), limit=160)}") from error


def _check_a_label(label: str) -> None:
    try:
        same = idna.alabel(idna.ulabel(label)).decode("ascii") == label
    except (idna.IDNAError, UnicodeError, IndexError) as error:
        raise InvalidHostname(f"{label} is no valid IDNA label: {visible(str(error), limit=160)}") from error
    if not same:
        raise InvalidHostname(f"{label} is no valid IDNA label: it decodes to another one")


def _unless_numeric(name: str) -> str:
    if not _NUMERIC.fullmatch(name.rpartition(".")[2]):
        return name
    # Only now: mapping may have turned full-width digits and dots into an address.
    address = _ip_literal(name)
    if address is None:
        raise InvalidHostname("it ends in a number, but is no IPv4 address", "four numbers from 0 to 255 with dots")
    return str(address)
