"""What must never be in the audit log is taken out before an entry is written. Pure.

A net below code that gives no secrets in the first place: fields are known by their names, values by their forms.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

MASK: Final = "***"
# Beyond it a text is cut: an entry must fit into a record of the topic.
TEXT_LIMIT: Final = 1_000
ITEMS_LIMIT: Final = 200

_SECRET_NAME: Final = re.compile(
    r"(^|[_-])(secret|password|passphrase|pass|token|cookie|authorization|credential|ciphertext"
    r"|(private|routing|api|signing|integration|encryption)[_-]?key)s?([_-](hash|sha256))?$",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(
    r"(?P<vigilo>vgl[a-z]?_[A-Za-z0-9_-]{16,})|(?P<webhook>whsec_[A-Za-z0-9+/=_-]+)|(?P<argon>\$argon2[^\s\"]+)"
    r"|(?P<bearer>(?i:bearer|basic)\s+[A-Za-z0-9._~+/-]{16,}=*)"
    r"|(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$))"
)
_USERINFO: Final = re.compile(r"(?<=://)[^/?#@\s]+(?=@)")


def masked(value: Any) -> Any:
    """The JSON value without secrets, long texts and lists cut."""
    if isinstance(value, Mapping):
        return {str(name): _member(str(name), one) for name, one in value.items()}
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        left = [f"... and {len(value) - ITEMS_LIMIT} more"] if len(value) > ITEMS_LIMIT else []
        return [masked(one) for one in value[:ITEMS_LIMIT]] + left
    return value


def masked_text(text: str) -> str:
    """The text without anything that has the form of a secret; a long one is cut and stands by its SHA-256."""
    shown = _USERINFO.sub(MASK, _SECRET_VALUE.sub(MASK, text)).replace("\0", "\\0")
    if len(shown) <= TEXT_LIMIT:
        return shown
    digest = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()
    return f"{shown[:TEXT_LIMIT]}... ({len(shown)} characters, SHA-256 {digest})"


def _member(name: str, value: Any) -> Any:
    return MASK if value is not None and _SECRET_NAME.search(name) else masked(value)
