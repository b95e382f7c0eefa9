"""Where the rules differ from what a row of the table argues: a list to be emptied, not to grow old."""

from __future__ import annotations

from collections.abc import Mapping

_VIGILO, _LABS = "vigilo-2026", "ssllabs-compatible-2009r"
_ED25519 = (
    "2026-11-23: the verdict is trusted and nothing caps. The row: BR 7.1.3.1 knows RSA and ECDSA keys only, and "
    "browsers offer no ed25519 signatures, so none of them can connect"
)

# (row, rulebook): the day, what the rules say, and why the row stands.
PENDING: Mapping[tuple[str, str], str] = {
    ("Ed25519, public", _VIGILO): _ED25519,
    ("Ed25519, public", _LABS): _ED25519,
}
