"""Which suites are offered together: the usual ones first, at most 110 at a time. Pure.

More than 127 at once make some servers hang up; and what nearly nobody has should not cost a probe for each.
"""

from __future__ import annotations

import re
from functools import cache

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.suite_names import SUITE_NAMES

BUNDLE_MAX = 110
SMALL_BUNDLE = 24  # for servers that stumble over long lists

TLS13_SUITES = (*range(0x1301, 0x1308), 0x00C6, 0x00C7, 0xC0B4, 0xC0B5)

_USUAL = re.compile(r"TLS_(ECDHE_ECDSA|ECDHE_RSA|DHE_RSA|RSA|DH_anon|ECDH_anon)_WITH_(?!SEED|IDEA|.*DRAFT|.*ARIA.*CBC)")
_KEY_EXCHANGES = ("ECDHE_ECDSA", "ECDHE_RSA", "DHE_RSA", "RSA", "ECDH_anon", "DH_anon")
# ChaCha comes late: servers that put it first for clients which do must not take us for one.
_CIPHERS = ("AES_256_GCM", "AES_128_GCM", "CHACHA20", "AES_256_CBC", "AES_128_CBC", "AES", "CAMELLIA", "ARIA", "3DES")
_NEEDS_TLS12 = re.compile(r"_(GCM|CCM|CCM_8|POLY1305)(_|$)|_SHA(256|384)$")


@cache
def usual_suites(version: int) -> tuple[int, ...]:
    """The suites that are offered first in SSL 3 to TLS 1.2; those an old version knows."""
    usual = [suite for suite, name in SUITE_NAMES.items() if _USUAL.match(name) and _fits(name, version)]
    return tuple(sorted(usual, key=lambda suite: (_place(SUITE_NAMES[suite]), suite)))


@cache
def rare_bundles(version: int) -> tuple[tuple[int, ...], ...]:
    """All other suites below TLS 1.3, in bundles; those that the version should not know come last.

    DHE suites keep together: a server that fails at them is asked again without, for each bundle that has others, too.
    """
    usual = {*usual_suites(version), *TLS13_SUITES}
    others = sorted(
        (suite for suite in SUITE_NAMES if suite not in usual),
        key=lambda suite: (not _fits(SUITE_NAMES[suite], version), is_dhe(suite)),
    )
    return cut(tuple(others), BUNDLE_MAX)


@cache
def all_suites(version: int) -> tuple[int, ...]:
    """Every suite below TLS 1.3, the usual ones first: a list that not every server bears."""
    return (*usual_suites(version), *(suite for bundle in rare_bundles(version) for suite in bundle))


def asked_together(version: int, suites: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """The same suites in parts within which an enumeration finds out the server's order, as long lists are cut up."""
    usual = usual_suites(version)
    rare = [suite for suite in suites if suite not in usual]
    if version == code.TLS13 or (len(rare) < len(suites) and len(usual) + len(rare) <= BUNDLE_MAX):
        return (suites,)
    parts = (tuple(suite for suite in suites if suite in bundle) for bundle in (usual, *rare_bundles(version)))
    return tuple(part for part in parts if part)


def cut(suites: tuple[int, ...], size: int) -> tuple[tuple[int, ...], ...]:
    """The same suites in pieces of at most that size."""
    return tuple(suites[start : start + size] for start in range(0, len(suites), size))


@cache
def is_ecdhe(suite: int) -> bool:
    """True for suites with an ephemeral key on a curve."""
    return SUITE_NAMES.get(suite, "").startswith(("TLS_ECDHE_RSA_", "TLS_ECDHE_ECDSA_", "TLS_ECDH_anon_"))


@cache
def is_dhe(suite: int) -> bool:
    """True for suites with an ephemeral key in a finite field."""
    return SUITE_NAMES.get(suite, "").startswith(("TLS_DHE_", "TLS_DH_anon_"))


@cache
def is_chacha(suite: int) -> bool:
    """True for ChaCha20-Poly1305."""
    return "_CHACHA20_POLY1305" in SUITE_NAMES.get(suite, "")


@cache
def is_cbc(suite: int) -> bool:
    """True for block ciphers in CBC mode, the only ones that encrypt-then-MAC is about (RFC 7366)."""
    return "_CBC_" in SUITE_NAMES.get(suite, "")


def _fits(name: str, version: int) -> bool:
    return version == code.TLS12 or not _NEEDS_TLS12.search(name)


def _place(name: str) -> tuple[int, int]:
    exchange = name.removeprefix("TLS_").split("_WITH_", maxsplit=1)[0]
    cipher = next((place for place, part in enumerate(_CIPHERS) if f"_WITH_{part}" in name), len(_CIPHERS))
    return cipher, _KEY_EXCHANGES.index(exchange)
