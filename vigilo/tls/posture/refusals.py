"""What a posture check must find refused: versions that were off, suites and groups that were not taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vigilo.events.posture import Support
from vigilo.tls.posture.answers import INAPPROPRIATE_FALLBACK
from vigilo.tls.posture.bundles import BUNDLE_MAX, TLS13_SUITES, all_suites
from vigilo.tls.posture.known import Known, KnownVersion
from vigilo.tls.posture.probes import Refusal
from vigilo.tls.posture.witnesses import known_version
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.suite_names import suite_name

_HELLOS_OF_OLD = (code.SSL3, code.TLS10, code.TLS11, code.TLS12)


def curves_for(version: int) -> tuple[int, ...]:
    """All there are, for versions that can be told."""
    return code.EC_GROUPS if version > code.SSL3 else ()


def refusals(known: Known) -> Iterator[Refusal]:
    """All of them, in no order that matters."""
    yield from _versions_off(known)
    for version in known.older:
        yield Refusal(Offer(version.version, version.others, curves_for(version.version)))
    if known.curves and known.newest is not None:
        yield from _curves_off(known, known.newest)
    if known.tls13 is not None:
        yield from _tls13_off(known, known.tls13)
    if known.posture.fallback_scsv is Support.ACCEPTED and known.fallback_from is not None:
        suites = known_version(known, known.fallback_from).suites[: BUNDLE_MAX - 1]
        offer = Offer(known.fallback_from, (*suites, code.FALLBACK_SCSV), curves_for(known.fallback_from))
        yield Refusal(offer, alerts=frozenset({INAPPROPRIATE_FALLBACK}))


def _versions_off(known: Known) -> Iterator[Refusal]:
    """A hello offers all versions up to its own, so one asks for a whole run of them; SSL 2 and TLS 1.3 stand apart."""
    if code.SSL2 in known.rejected:
        yield Refusal(Offer(code.SSL2, ()))
    accepted = frozenset(one.version for one in known.older)
    for version in _HELLOS_OF_OLD:
        if version in known.rejected and (version == code.TLS12 or version + 1 in accepted):
            older = frozenset(one for one in accepted if one < version)
            yield Refusal(Offer(version, all_suites(version), curves_for(version)), older=older)
    if code.TLS13 in known.rejected:
        yield Refusal(Offer(code.TLS13, TLS13_SUITES, code.TLS13_GROUPS), older=accepted)


def _curves_off(known: Known, version: KnownVersion) -> Iterator[Refusal]:
    others = tuple(curve for curve in code.EC_GROUPS if curve not in known.curves)
    by_rsa = tuple(suite for suite in version.ecdhe if "_ECDSA_" not in suite_name(suite))
    kept = () if by_rsa else tuple(curve for curve in known.curves if curve in code.NIST_GROUPS)
    if others:
        yield Refusal(Offer(version.version, by_rsa or version.ecdhe, (*others, *kept)), groups=frozenset(kept))


def _tls13_off(known: Known, version: KnownVersion) -> Iterator[Refusal]:
    suites = tuple(suite for suite in TLS13_SUITES if suite not in version.suites)
    groups = tuple(group for group in code.TLS13_GROUPS if group not in known.groups)
    if suites:
        yield Refusal(Offer(code.TLS13, suites, code.TLS13_GROUPS))
    if groups:
        yield Refusal(Offer(code.TLS13, version.suites, groups))
