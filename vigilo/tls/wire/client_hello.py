"""Writes ClientHello messages: what a probe offers. Pure; randomness comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.reading import numbers, vector

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_UNCOMPRESSED_POINTS = 0
_OCSP = 1
_DEFLATE, _NO_COMPRESSION = 1, 0
_PSK_WITH_DHE = 1
_APPLICATION_PROTOCOLS = (b"h2", b"http/1.1")
_X25519 = 29
_REMEMBERED_MAX = 2048  # offers: most hosts are asked the same ones; a KiB each
_NONE: Mapping[int, bytes] = MappingProxyType({})

# SSL 2's seven, by their three-octet code points (draft-hickman-netscape-ssl-00, appendix C.4).
SSL2_CIPHERS = (0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700C0)


@dataclass(frozen=True, slots=True)
class Offer:
    """One ClientHello. `version` is the only one offered; `suites` and `groups` are in the client's order.

    `share` sends an X25519 key share where TLS 1.3 is offered; without one a server must answer HelloRetryRequest
    (RFC 8446 section 4.1.4), naming suite and group before any computation. `plain` leaves out all that old servers
    are known to stumble over: every extension but server name, groups, signatures.
    """

    version: int
    suites: tuple[int, ...]
    groups: tuple[int, ...] = ()
    alpn: bool = False
    share: bool = False
    plain: bool = False


def encode(
    offer: Offer, *, sni: str | None, random: bytes, session_id: bytes = b"", extras: Mapping[int, bytes] = _NONE
) -> bytes:
    """The record(s) of a ClientHello; `random` is 96 fresh bytes. SSL 3 gets no extensions, as then.

    `session_id` (32 bytes at most) is for TLS 1.2 and older; `extras` are extensions to add, or to say otherwise.
    """
    body = [
        numbers((min(offer.version, code.TLS12),)),
        random[:32],
        vector(1, random[32:64] if offer.version == code.TLS13 else session_id),
        _choices(offer),
    ]
    if offer.version > code.SSL3:
        body.append(vector(2, _extensions(offer, sni, share=random[64:96], extras=extras)))
    message = bytes((_CLIENT_HELLO,)) + vector(3, b"".join(body))
    # Version 3.1 outside, whatever is offered inside: what servers are used to (RFC 8446 appendix D.4).
    return bytes((_HANDSHAKE,)) + numbers((min(offer.version, code.TLS10),)) + vector(2, message)


def encode_ssl2(*, challenge: bytes) -> bytes:
    """SSL 2's CLIENT-HELLO with all its ciphers; `challenge` is 16 bytes."""
    ciphers = numbers(SSL2_CIPHERS, 3)
    body = b"\x01\x00\x02" + numbers((len(ciphers), 0, len(challenge))) + ciphers + challenge
    return numbers((0x8000 | len(body),)) + body


def _suites(offer: Offer) -> tuple[int, ...]:
    # SSL 3 has no extensions: secure renegotiation is asked for by a suite that is none.
    return (*offer.suites, code.RENEGOTIATION_SCSV) if offer.version == code.SSL3 else offer.suites


def compressions(offer: Offer) -> tuple[int, ...]:
    """The compression methods offered."""
    return (_NO_COMPRESSION,) if offer.plain or offer.version == code.TLS13 else (_DEFLATE, _NO_COMPRESSION)


@lru_cache(_REMEMBERED_MAX)
def _choices(offer: Offer) -> bytes:
    return vector(2, numbers(_suites(offer))) + vector(1, bytes(compressions(offer)))


def _extensions(offer: Offer, sni: str | None, *, share: bytes, extras: Mapping[int, bytes]) -> bytes:
    name = {} if sni is None else {code.SERVER_NAME: vector(2, b"\x00" + vector(2, sni.encode("ascii")))}
    shares = offer.share and offer.version == code.TLS13
    if not shares and not extras:
        return _joined(name) + _usual_extensions(offer)
    usual = _present(offer)
    if shares:
        usual[code.KEY_SHARE] = vector(2, numbers((_X25519,)) + vector(2, share))
    return _joined({**name, **usual, **extras})


@lru_cache(_REMEMBERED_MAX)
def _usual_extensions(offer: Offer) -> bytes:
    return _joined(_present(offer))


def _joined(extensions: Mapping[int, bytes]) -> bytes:
    return b"".join(numbers((kind,)) + vector(2, content) for kind, content in extensions.items())


def _present(offer: Offer) -> dict[int, bytes]:
    """Every extension of an offer but the server's name, in order; the key share without keys."""
    present: dict[int, bytes] = {}
    if offer.groups:
        present[code.SUPPORTED_GROUPS] = vector(2, numbers(offer.groups))
    if offer.version >= code.TLS12:
        present[code.SIGNATURE_ALGORITHMS] = vector(2, numbers(code.SIGNATURE_SCHEMES))
    if offer.version == code.TLS13:
        present |= _TLS13
    elif not offer.plain:
        present |= _up_to_tls12(offer)
    if offer.alpn and not offer.plain:
        names = b"".join(vector(1, name) for name in _APPLICATION_PROTOCOLS)
        present[code.ALPN] = vector(2, names)
    return present


_TLS13 = {
    code.SUPPORTED_VERSIONS: vector(1, numbers((code.TLS13,))),
    code.PSK_MODES: vector(1, bytes((_PSK_WITH_DHE,))),
    code.KEY_SHARE: vector(2, b""),
}


def _up_to_tls12(offer: Offer) -> dict[int, bytes]:
    points = {code.EC_POINT_FORMATS: vector(1, bytes((_UNCOMPRESSED_POINTS,)))} if offer.groups else {}
    return {
        **points,
        code.STATUS_REQUEST: bytes((_OCSP,)) + bytes(4),
        code.ENCRYPT_THEN_MAC: b"",
        code.EXTENDED_MASTER_SECRET: b"",
        code.SESSION_TICKET: b"",
        code.RENEGOTIATION_INFO: b"\x00",
    }
