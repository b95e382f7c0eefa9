"""Distinguished names in DER to text (RFC 4514). Pure; any bytes give text, never an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from vigilo.tls.der import OBJECT_IDENTIFIER, SEQUENCE, NotDer, dotted, elements, only

_PARTS_MAX = 30
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "2.5.4.3": "CN",
        "2.5.4.5": "serialNumber",
        "2.5.4.6": "C",
        "2.5.4.7": "L",
        "2.5.4.8": "ST",
        "2.5.4.9": "STREET",
        "2.5.4.10": "O",
        "2.5.4.11": "OU",
        "1.2.840.113549.1.9.1": "emailAddress",
        "0.9.2342.19200300.100.1.1": "UID",
        "0.9.2342.19200300.100.1.25": "DC",
    }
)
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
# What stands between commas and plus signs that are not escaped.
_PART = re.compile(r"(?:\\.|[^,+\\])+")
_ESCAPED = frozenset(',+"\\<>;')


def name_text(der: bytes) -> str:
    """`CN=Example CA,O=Example,C=XX`: last part first, as RFC 4514 writes; bytes that are no name are shown in hex."""
    try:
        parts = [element.content for element in elements(only(der, SEQUENCE).content)][:_PARTS_MAX]
        return ",".join("+".join(_attribute(one.content) for one in elements(part)) for part in reversed(parts))
    except (NotDer, ValueError):
        return f"#{der[:64].hex()}"


def organisation(name: str) -> str | None:
    """The organisation (O) in a name as `name_text` writes it, without escapes; the first of several, or None."""
    for part in _PART.findall(name):
        kind, _, value = part.partition("=")
        if kind == "O" and value:
            return re.sub(r"\\(.)", r"\1", value)
    return None


def _attribute(content: bytes) -> str:
    parts = list(elements(content))
    if len(parts) != 2 or parts[0].tag != OBJECT_IDENTIFIER:
        raise NotDer("an attribute of a name without type or value")
    kind, value = dotted(parts[0].content), parts[1]
    encoding = _ENCODINGS.get(value.tag)
    shown = f"#{value.whole[:64].hex()}" if encoding is None else _escape(value.content.decode(encoding, "replace"))
    return f"{_TYPES.get(kind, kind)}={shown}"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in _ESCAPED else char for char in text)
