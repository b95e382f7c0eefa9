"""Which holes are worth a connection, by what is known of a server's posture. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vigilo.events.posture import Posture, Support, VersionPosture
from vigilo.tls.posture.bundles import is_ecdhe
from vigilo.tls.vulnerabilities.finding import Finding, safe, unknown
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import SUITE_NAMES

_ASKED = (code.TLS12, code.TLS11, code.TLS10)  # SSL 3 has no extensions, and TLS 1.3 none of these holes
_STATIC_RSA = "TLS_RSA_WITH_"
_CODES: Mapping[str, int] = MappingProxyType({name: number for number, name in SUITE_NAMES.items()})
_GROUP_CODES: Mapping[str, int] = MappingProxyType({name: number for number, name in code.GROUP_NAMES.items()})


def offer_below_tls13(posture: Posture) -> Offer | Finding:
    """An offer that the server takes in TLS 1.2 to 1.0, or what to say of all older holes without asking."""
    for version in _ASKED:
        suites = _suites(_version(posture, version))
        if suites:
            return Offer(version, suites, _groups(posture, suites))
    return _without_old_versions(posture)


def static_rsa_offer(posture: Posture) -> Offer | Finding:
    """An offer of key exchanges by RSA alone, or what to say of ROBOT without asking."""
    for version in _ASKED:
        suites = tuple(one for one in _suites(_version(posture, version)) if SUITE_NAMES[one].startswith(_STATIC_RSA))
        if suites:
            return Offer(version, suites)
    known = [_version(posture, version) for version in (*_ASKED, code.SSL3)]
    if all(one is not None and (one.support is Support.REJECTED or one.complete) for one in known):
        return safe("accepts no key exchange by RSA alone")
    return unknown("not all that it accepts is known")


def tickets(posture: Posture) -> Finding | None:
    """What to say of tickets without asking; None where they are given out."""
    if posture.session_tickets is Support.REJECTED:
        return safe("gives out no session tickets below TLS 1.3")
    return None if posture.session_tickets is Support.ACCEPTED else unknown("not known whether it gives out tickets")


def _without_old_versions(posture: Posture) -> Finding:
    old = [_version(posture, version) for version in (*_ASKED, code.SSL3)]
    if all(one is not None and one.support is Support.REJECTED for one in old):
        return safe("accepts nothing older than TLS 1.3")
    return unknown("no version from TLS 1.0 to 1.2 is known to be accepted")


def _version(posture: Posture, version: int) -> VersionPosture | None:
    return next((one for one in posture.versions if one.version == code.VERSION_NAMES[version]), None)


def _suites(version: VersionPosture | None) -> tuple[int, ...]:
    if version is None or version.support is not Support.ACCEPTED:
        return ()
    return tuple(_CODES[name] for name in version.suites if name in _CODES)


def _groups(posture: Posture, suites: tuple[int, ...]) -> tuple[int, ...]:
    """Those it chose before, and the usual ones for the curve of its certificate; without any, all that there are."""
    if not any(is_ecdhe(suite) for suite in suites):
        return ()
    names = () if posture.groups_tls12 is None else posture.groups_tls12.groups
    found = tuple(_GROUP_CODES[name] for name in names if name in _GROUP_CODES)
    return tuple(dict.fromkeys((*found, *code.NIST_GROUPS))) if found else code.EC_GROUPS
