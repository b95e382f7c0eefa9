"""What a cipher suite is made of, read from its name in the IANA registry. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

# Key lengths in bits, by how a suite's name begins after WITH. 3DES has three keys of 56 and the strength of two.
_CIPHERS: tuple[tuple[str, int], ...] = (
    ("NULL", 0),
    ("SHA256_", 0),  # integrity only: RFC 9150
    ("SHA384_", 0),
    ("RC4_40", 40),
    ("RC2_CBC_40", 40),
    ("DES40_CBC", 40),
    ("DES_CBC_40", 40),
    ("RC4_56", 56),
    ("DES_CBC", 56),
    ("3DES_EDE_CBC", 112),
    ("RC4_128", 128),
    ("IDEA_CBC", 128),
    ("SEED_CBC", 128),
    ("SM4", 128),
    ("AEGIS_128", 128),
    ("AEGIS_256", 256),
    ("CHACHA20_POLY1305", 256),
    ("28147_CNT", 256),
    ("KUZNYECHIK", 256),
    ("MAGMA", 256),
)
_SIZED = re.compile(r"(?:AES|CAMELLIA|ARIA)_(128|256)_")
_AEAD = re.compile(r"_GCM(_|$)|_CCM(_|$)|POLY1305|_MGM_|AEGIS")
# Blocks of 64 bits: Sweet32, CVE-2016-2183. GOST 28147 and Magma have such blocks, too, but count what they encrypt.
_SHORT_BLOCKS = re.compile(r"(?:3DES_EDE|DES|DES40|IDEA|RC2)_CBC")


@dataclass(frozen=True, slots=True)
class SuiteTraits:
    """`exchange` and `authentication` are None for TLS 1.3, where the suite does not say; `bits` None = not known.

    `exchange` is RSA, DH, DHE, ECDH, ECDHE, PSK, ...; `authentication` RSA, ECDSA, DSS, anon, PSK, ....
    """

    name: str
    exchange: str | None
    authentication: str | None
    bits: int | None
    aead: bool
    export: bool

    @property
    def tls13(self) -> bool:
        """A suite of TLS 1.3 (RFC 8446 appendix B.4)."""
        return self.exchange is None

    @property
    def anonymous(self) -> bool:
        """Nobody proves who the server is."""
        return self.authentication == "anon"

    @property
    def forward_secret(self) -> bool:
        """A later theft of the server's key reads nothing recorded before."""
        return self.exchange in {None, "DHE", "ECDHE"} or self.anonymous

    @property
    def short_blocks(self) -> bool:
        """The cipher has blocks of 64 bits."""
        return _SHORT_BLOCKS.search(self.name) is not None

    @property
    def rc4(self) -> bool:
        """RC4, which RFC 7465 forbids."""
        return "_RC4_" in self.name

    @property
    def chacha(self) -> bool:
        """ChaCha20-Poly1305 (RFC 7905)."""
        return "CHACHA20" in self.name


@cache
def suite_traits(name: str) -> SuiteTraits | None:
    """The traits of a suite by its IANA name; None for a name that is none of a cipher suite."""
    if not name.startswith(("TLS_", "SSL_")):
        return None
    aead = _AEAD.search(name) is not None
    before, separator, after = name.removeprefix("SSL_").removeprefix("TLS_").partition("_WITH_")
    if not separator:
        return SuiteTraits(name, None, None, _bits(before), aead=aead, export=False)
    export = "_EXPORT" in before
    exchange, _, rest = re.sub("_EXPORT(1024)?", "", before).partition("_")
    if exchange == "PSK" and rest == "DHE":  # so registered for the two suites with CCM_8
        exchange, rest = rest, exchange
    authentication = "RSA" if exchange == "RSA" and rest != "PSK" else rest.rpartition("_")[2] or exchange
    return SuiteTraits(name, exchange, authentication, _bits(after), aead=aead, export=export)


def _bits(cipher: str) -> int | None:
    sized = _SIZED.match(f"{cipher}_")
    if sized:
        return int(sized[1])
    return next((bits for prefix, bits in _CIPHERS if cipher.startswith(prefix)), None)
