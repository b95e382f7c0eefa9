"""What to offer a server that our TLS library does not get along with: all that comes with a certificate. Pure."""

from __future__ import annotations

import re
from functools import cache

from vigilo.tls.posture.bundles import BUNDLE_MAX, SMALL_BUNDLE
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import SUITE_NAMES

# Key exchanges in which the server shows a certificate, the usual ones first.
_NAME = re.compile(r"TLS_(?P<exchange>[A-Za-z_]+?)(?P<export>_EXPORT(?:1024)?)?_WITH_(?P<cipher>\w+)")
_EXCHANGES = ("RSA", "DHE_RSA", "DHE_DSS", "ECDHE_RSA", "ECDHE_ECDSA", "ECDH_RSA", "ECDH_ECDSA", "DH_RSA", "DH_DSS")
_OF_LONG_AGO = frozenset({"RSA", "DHE_RSA", "DHE_DSS"})
_CIPHERS = ("AES_128_CBC_SHA", "AES_256_CBC_SHA", "3DES_EDE_CBC_SHA", "RC4_128_SHA", "RC4_128_MD5", "DES_CBC_SHA")
_EXPORTED = re.compile("RC4_40|DES40|RC2|RC4_56|DES_CBC_SHA")
_NEWER = re.compile("AES_(128|256)_(GCM|CBC_SHA(256|384))|CHACHA20_POLY1305_SHA256")


@cache
def own_offers() -> tuple[Offer, ...]:
    """Three at most, the widest first; a server answers each in the best version it knows up to the one offered."""
    ranked = sorted((rank, suite) for suite, name in SUITE_NAMES.items() if (rank := _rank(name)) is not None)
    wide = tuple(suite for _, suite in ranked)[:BUNDLE_MAX]
    few = tuple(suite for rank, suite in ranked if rank < _WIDE)[:SMALL_BUNDLE]
    return (
        Offer(code.TLS12, wide, code.EC_GROUPS),
        Offer(code.TLS10, few, plain=True),
        Offer(code.SSL3, few, plain=True),
    )


_WIDE = 100  # ranks from here on are not for servers of long ago


def _rank(name: str) -> int | None:
    """How early a suite is offered; None for those in which no certificate is shown."""
    match = _NAME.fullmatch(name)
    if match is None or match["exchange"] not in _EXCHANGES:
        return None
    exchange, cipher = _EXCHANGES.index(match["exchange"]), match["cipher"]
    late = 0 if match["exchange"] in _OF_LONG_AGO else _WIDE
    if match["export"]:
        return late + len(_CIPHERS) if _EXPORTED.match(cipher) else None
    if cipher in _CIPHERS:
        return late + _CIPHERS.index(cipher) + (4 * _WIDE if exchange > 4 else 0)
    return (2 if _NEWER.match(cipher) and exchange <= 4 else 3 + exchange) * _WIDE
