"""Text that came from the network.

`PeerText` is made at the parser's edge: control, bidirectional and zero-width characters become visible escapes, length
is capped. Each output still has its own encoder (HTML, CSV, terminal ...); this type only makes the text harmless to
read.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

PEER_TEXT_MAX = 512
_ELLIPSIS = "…"
# Cc control, Cf format (bidi, zero-width), Cs surrogates, Co private, Cn unassigned, Zl/Zp separators.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, *, limit: int = PEER_TEXT_MAX) -> str:
    """The text with every hidden character written as \\xNN or \\uNNNN, cut to `limit` characters. Idempotent."""
    if text.isprintable() and len(text) <= limit:  # the usual case, decided in C: nothing hidden, nothing to cut
        return text
    shown = "".join(_escape(char) if unicodedata.category(char) in _HIDDEN_CATEGORIES else char for char in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + _ELLIPSIS


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


PeerText = Annotated[str, AfterValidator(visible)]
