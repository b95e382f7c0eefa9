"""What a grade may depend on, of one suite or group: kinds of keys and ciphers, by the registry's names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

NO_ENCRYPTION = "no encryption"
NO_AUTHENTICATION = "no authentication"
EXPORT = "export strength"
RC4 = "RC4"
SHORT_KEYS = "DES or RC2"
SMALL_BLOCKS = "blocks of 64 bits"
FORWARD_SECRECY_NONE = "no forward secrecy"
STATIC_RSA = "RSA key exchange"
DHE = "DHE"
ECDHE = "ECDHE"
AEAD = "AEAD"
NO_AEAD = "no AEAD"
CBC = "CBC"
POST_QUANTUM = "post-quantum"
WEAK_GROUP = "a group below 224 bits"

# What ought not to be there: whether TLS 1.1 or newer takes it is a question of its own (RFC 7465, CVE-2016-2183).
WEAKNESSES = frozenset({NO_ENCRYPTION, NO_AUTHENTICATION, EXPORT, RC4, SHORT_KEYS, SMALL_BLOCKS})

_BY_PATTERN: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        NO_ENCRYPTION: re.compile(r"_NULL(_|$)|^TLS_SHA(256|384)_SHA"),
        NO_AUTHENTICATION: re.compile(r"_anon_"),
        EXPORT: re.compile(r"_EXPORT"),
        RC4: re.compile(r"_RC4_"),
        SHORT_KEYS: re.compile(r"_DES_CBC|_DES40_|_RC2_"),
        SMALL_BLOCKS: re.compile(r"_3DES_|_IDEA_|_28147_|_MAGMA_"),
        STATIC_RSA: re.compile(r"^(TLS|SSL)_RSA_"),
        DHE: re.compile(r"^TLS_(DHE_|PSK_DHE_)"),
        ECDHE: re.compile(r"^TLS_ECDHE_"),
        AEAD: re.compile(r"_GCM|_CCM|POLY1305|_MGM_|_AEGIS_"),
        CBC: re.compile(r"_CBC_"),
        "128 bits": re.compile(r"(?<!RC4)_128"),
        "256 bits": re.compile(r"_256_|CHACHA20"),
    }
)
_GROUP_BITS = re.compile(r"^sec[pt](\d+)")
_WEAK_BITS = 224


@cache
def suite_traits(name: str) -> frozenset[str]:
    """The traits of a suite by its IANA name. All of TLS 1.3 are forward secret."""
    found = {trait for trait, pattern in _BY_PATTERN.items() if pattern.search(name)}
    if AEAD not in found:
        found.add(NO_AEAD)
    if "_WITH_" in name and "ECCPWD" not in name and not found & {DHE, ECDHE, NO_AUTHENTICATION}:
        found.add(FORWARD_SECRECY_NONE)
    return frozenset(found)


def group_traits(name: str) -> frozenset[str]:
    """The traits of a key agreement group."""
    if "MLKEM" in name or "Kyber" in name:
        return frozenset({POST_QUANTUM})
    bits = _GROUP_BITS.match(name)
    return frozenset({WEAK_GROUP}) if bits and int(bits[1]) < _WEAK_BITS else frozenset()


def dh_rank(name: str) -> int | None:
    """Where a server's smallest DH prime is looked for first, lowest first; None for suites without DH.

    Export suites have primes of their own, and OpenSSL's automatic choice is the smallest for anonymous ones.
    """
    traits = suite_traits(name)
    if DHE not in traits and not name.startswith("TLS_DH_anon_"):
        return None
    if EXPORT in traits:
        return 0
    if NO_AUTHENTICATION in traits:
        return 1 if "256 bits" not in traits else 2
    return 3
