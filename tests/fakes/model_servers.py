"""Forty-one server configurations, each a small but telling step away from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.fakes.model_server import ModelServer
from vigilo.tls.suites import iana_name
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.suite_names import SUITE_NAMES

_NUMBERS = {name: number for number, name in SUITE_NAMES.items()}
_NEEDS_TLS12 = ("GCM", "CHACHA", "CCM", "SHA256", "SHA384")
_OLDER = (code.TLS10, code.TLS11, code.TLS12)
X25519_MLKEM768 = 0x11EC
TLS13 = (0x1302, 0x1303, 0x1301)


def suites(names: str) -> tuple[int, ...]:
    """Code points of OpenSSL's names, with colons between."""
    return tuple(_NUMBERS[iana_name(name)] for name in names.split(":"))


def spread(names: str, versions: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """One list for several versions, as servers have it: each takes what it can."""
    new = suites(names)
    old = tuple(_NUMBERS[iana_name(name)] for name in names.split(":") if not name.endswith(_NEEDS_TLS12) and
                not any(part in name for part in ("GCM", "CHACHA", "CCM")))  # fmt: skip
    return {version: new if version == code.TLS12 else old for version in versions if version == code.TLS12 or old}


INTERMEDIATE = (
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384"
)
MIXED = f"{INTERMEDIATE}:ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"
MANY = (
    f"{INTERMEDIATE}:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:DHE-RSA-AES128-SHA256:"
    "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:AES256-GCM-SHA384:"
    "AES128-GCM-SHA256:AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA:DHE-RSA-CAMELLIA256-SHA:"
    "DHE-RSA-CAMELLIA128-SHA:CAMELLIA256-SHA:CAMELLIA128-SHA:SEED-SHA"
)
DUAL = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
ECDSA = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"

BROKEN = "DHE-RSA-DES-CBC3-SHA:RC4-SHA"
_13 = {code.TLS13: TLS13}
_modern = ModelServer({**spread(INTERMEDIATE, (code.TLS12,)), **_13})
_mixed = ModelServer({**spread(MIXED, (code.TLS12,)), **_13}, own_order=True)
_legacy = ModelServer({**spread(MANY, _OLDER), **_13}, own_order=True, own_curve_order=True)
_12 = ModelServer(spread(MIXED, (code.TLS12,)), own_order=True)
_old = ModelServer(
    spread("DHE-RSA-AES256-SHA:AES256-SHA:AES128-SHA:DES-CBC3-SHA:RC4-SHA", (code.SSL3, *_OLDER)),
    own_order=True, knows_tls13=False, encrypt_then_mac=False, extended_master_secret=False,
)  # fmt: skip


def _with(server: ModelServer, version: int, names: str | None) -> ModelServer:
    others = {one: found for one, found in server.suites.items() if one != version}
    return replace(server, suites=others if names is None else {**others, version: suites(names)})


def _mixed_with(names: str, *, own_order: bool = True) -> ModelServer:
    return replace(_mixed, suites={**spread(names, (code.TLS12,)), **_13}, own_order=own_order)


def _moved(names: str, place: int, to: int) -> str:
    items = names.split(":")
    items.insert(to, items.pop(place))
    return ":".join(items)


def _without(names: str, place: int) -> str:
    items = names.split(":")
    del items[place]
    return ":".join(items)


MODELS: Mapping[str, ModelServer] = {
    "intermediate": _modern,
    "intermediate, server order": replace(_modern, own_order=True),
    "intermediate, ChaCha first": replace(_modern, own_order=True, chacha_first=True),
    "intermediate, post-quantum": replace(_modern, groups=(X25519_MLKEM768, *_modern.groups)),
    "intermediate, post-quantum last": replace(
        _modern, groups=(*_modern.groups, X25519_MLKEM768), own_curve_order=True
    ),
    "intermediate, one group less": replace(
        _modern, groups=_modern.groups[:-1], curves=_modern.curves[:-1], own_group_order=False
    ),
    "intermediate, DH of 1024": replace(_modern, dh_bits=1024),
    "intermediate, no TLS 1.3": replace(_modern, suites=spread(INTERMEDIATE, (code.TLS12,))),
    "intermediate, TLS 1.1": ModelServer({**spread(MIXED, (code.TLS11, code.TLS12)), **_13}),
    "intermediate, one TLS 1.3 suite less": replace(_modern, suites={**_modern.suites, code.TLS13: TLS13[:2]}),
    "intermediate, integrity only in TLS 1.3": replace(
        _modern, suites={**_modern.suites, code.TLS13: (*TLS13, 0xC0B4)}, own_order=True
    ),
    "intermediate, compression": replace(_modern, compression=True),
    "intermediate, insecure renegotiation": replace(_modern, secure_renegotiation=False),
    "intermediate, no extended master secret": replace(_modern, extended_master_secret=False),
    "intermediate, no fallback SCSV": replace(_modern, fallback_scsv=False),
    "intermediate, h2": replace(_modern, alpn=(b"h2",)),
    "ECDSA": ModelServer({**spread(ECDSA, (code.TLS12,)), **_13}, certificate_curve=23),
    "RSA and ECDSA": ModelServer({**spread(DUAL, (code.TLS12,)), **_13}, certificate_curve=23, own_order=True),
    "TLS 1.3 only": ModelServer(_13),
    "TLS 1.3 only, post-quantum": ModelServer(_13, groups=(X25519_MLKEM768, 29, 23)),
    "TLS 1.2 only": _12,
    "TLS 1.2 only, client order": replace(_12, own_order=False),
    "TLS 1.2 only, one suite": ModelServer(spread("AES256-SHA", (code.TLS12,))),
    "mixed": _mixed,
    "mixed, client order": _mixed_with(MIXED, own_order=False),
    "mixed, last suite removed": _mixed_with(_without(MIXED, 8)),
    "mixed, no static RSA": _mixed_with(_without(_without(MIXED, 8), 7)),
    "mixed, first suite removed": _mixed_with(_without(MIXED, 0)),
    "mixed, static RSA first": _mixed_with(_moved(MIXED, 7, 0)),
    "mixed, 3DES at the end": _mixed_with(f"{MIXED}:DES-CBC3-SHA"),
    "mixed, RC4 in the middle": _mixed_with(MIXED.replace("AES256-SHA:AES128-SHA", "RC4-SHA:AES256-SHA:AES128-SHA")),
    "mixed, NULL at the end": _mixed_with(f"{MIXED}:NULL-SHA256"),
    "mixed, anonymous at the end": _mixed_with(f"{MIXED}:ADH-AES128-SHA"),
    "mixed, a weak curve": replace(_mixed, curves=(29, 23, 24, 19), own_curve_order=True),
    "legacy": _legacy,
    "legacy, no TLS 1.0": _with(_legacy, code.TLS10, None),
    "legacy, 3DES in TLS 1.0 only": replace(
        _legacy, suites={**_legacy.suites, code.TLS10: (*_legacy.suites[code.TLS10], *suites("DES-CBC3-SHA"))}
    ),
    "legacy, broken ciphers": replace(_legacy, suites={**spread(f"{MANY}:{BROKEN}", _OLDER), **_13}, dh_bits=1024),
    "old, with SSL 3": _old,
    "old, without SSL 3": _with(_old, code.SSL3, None),
    "old, SSL 3 with RC4 only": _with(_old, code.SSL3, "RC4-SHA"),
}
