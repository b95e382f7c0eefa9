"""Opens TLS 1.3 records with a traffic secret (RFC 8446 sections 5.2, 5.3, 7.1 and 7.3). Pure.

The secrets are our own side's of a handshake that our TLS library does: it tells them for logging. What the library
does not tell of the messages (tickets, extensions beside the leaf), or refuses to take, is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vigilo.tls.wire.reading import Malformed, vector

Cipher = AESGCM | ChaCha20Poly1305 | AESCCM

_IV = 12
_TAG = 16


@dataclass(frozen=True, slots=True)
class _Suite:
    cipher: Callable[[bytes], Cipher]
    key: int
    digest: Callable[[], hashes.HashAlgorithm]


_SUITES: Mapping[int, _Suite] = MappingProxyType(
    {
        0x1301: _Suite(AESGCM, 16, hashes.SHA256),
        0x1302: _Suite(AESGCM, 32, hashes.SHA384),
        0x1303: _Suite(ChaCha20Poly1305, 32, hashes.SHA256),
        0x1304: _Suite(AESCCM, 16, hashes.SHA256),
        0x1305: _Suite(lambda key: AESCCM(key, tag_length=8), 16, hashes.SHA256),
    }
)


def expand_label(secret: bytes, label: str, length: int, digest: hashes.HashAlgorithm) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1)."""
    info = length.to_bytes(2, "big") + vector(1, b"tls13 " + label.encode("ascii")) + vector(1, b"")
    return HKDFExpand(algorithm=digest, length=length, info=info).derive(secret)


class Protection:
    """One direction under one traffic secret; records must come in their order."""

    def __init__(self, suite: int, secret: bytes) -> None:
        known = _SUITES.get(suite)
        if known is None:
            raise Malformed(f"no TLS 1.3 suite {suite:#06x} that we can open")
        self._cipher = known.cipher(expand_label(secret, "key", known.key, known.digest()))
        self._iv = int.from_bytes(expand_label(secret, "iv", _IV, known.digest()), "big")
        self._sequence = 0

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Content type and content of a record given with its header. Raises Malformed."""
        nonce = (self._iv ^ self._sequence).to_bytes(_IV, "big")
        self._sequence += 1
        try:
            inner = self._cipher.decrypt(nonce, record[5:], record[:5]).rstrip(b"\x00")
        except (InvalidTag, ValueError) as error:
            raise Malformed("a record that cannot be opened") from error
        if not inner:
            raise Malformed("a record of nothing but padding")
        return inner[-1], inner[:-1]
