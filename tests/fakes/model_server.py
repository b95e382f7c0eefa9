"""A TLS server as a pure function from offer to answer, and its posture, enumerated as the scanner does."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vigilo.events.posture import Posture, Support
from vigilo.tls.posture.answers import Answer, Chosen, Refused
from vigilo.tls.posture.below_tls13 import VersionFound, enumerate_groups, enumerate_version, probe_fallback
from vigilo.tls.posture.bundles import is_cbc, is_chacha, is_ecdhe
from vigilo.tls.posture.check import Verdict, check_posture
from vigilo.tls.posture.describe import Found, best_with_suites, describe_posture
from vigilo.tls.posture.tls13 import enumerate_tls13
from vigilo.tls.wire import code_points as code
from vigilo.tls.wire.client_hello import Offer
from vigilo.tls.wire.server_hello import ServerHello
from vigilo.tls.wire.suite_names import suite_name

T = TypeVar("T")
Server = Callable[[Offer], Answer]
_DHE = ("TLS_DHE_", "TLS_DH_anon_")


@dataclass(frozen=True)
class ModelServer:
    """What a server is configured with. `suites` by version, in its own order, as are `groups` (1.3) and `curves`.

    OpenSSL asks for a group of TLS 1.3 in its own order whatever counts otherwise, which is the default here, too.
    `certificate_curve` is that of its ECDSA certificate: clients must list it to be given an ECDSA suite. Orders: the
    server's own, or the client's. `knows_tls13` False: one from before 2018, which takes that hello for TLS 1.2.
    """

    suites: Mapping[int, tuple[int, ...]]
    groups: tuple[int, ...] = (29, 23, 30, 25, 24)
    curves: tuple[int, ...] = (29, 23, 30, 25, 24)
    own_order: bool = False
    own_group_order: bool = True
    own_curve_order: bool = False
    chacha_first: bool = False
    certificate_curve: int | None = None
    dh_bits: int = 2048
    compression: bool = False
    secure_renegotiation: bool = True
    extended_master_secret: bool = True
    encrypt_then_mac: bool = True
    session_tickets: bool = True
    fallback_scsv: bool = True
    alpn: tuple[bytes, ...] = ()
    ssl2: bool = False
    knows_tls13: bool = True

    def __call__(self, offer: Offer) -> Answer:
        if offer.version == code.SSL2:
            return Chosen(offer, ServerHello(code.SSL2, 0, 0, retry=False)) if self.ssl2 else Refused()
        version = self._version(offer)
        if version is None:
            return Refused(alert=40 if offer.version == code.SSL3 else 70)  # SSL 3 has no protocol_version
        if code.FALLBACK_SCSV in offer.suites and self.fallback_scsv and max(self.suites) > offer.version:
            return Refused(alert=86)
        return self._negotiated(version, offer)

    def _negotiated(self, version: int, offer: Offer) -> Answer:
        group = self._group(version, offer)
        suite = self._suite(version, offer, group)
        if suite is None or (version == code.TLS13 and group is None):
            return Refused(alert=40)
        if version != offer.version:
            return Refused(older_version=version)
        if version == code.TLS13:
            return Chosen(offer, ServerHello(version, suite, 0, retry=True, group=group), group=group)
        return self._chosen(offer, suite, group)

    def _version(self, offer: Offer) -> int | None:
        if offer.version == code.TLS13 and (self.knows_tls13 or code.TLS13 in self.suites):
            return code.TLS13 if code.TLS13 in self.suites else None
        return max((one for one in self.suites if one <= min(offer.version, code.TLS12)), default=None)

    def _group(self, version: int, offer: Offer) -> int | None:
        is_tls13 = version == code.TLS13
        own, own_first = (self.groups, self.own_group_order) if is_tls13 else (self.curves, self.own_curve_order)
        first, second = (own, offer.groups) if own_first else (offer.groups, own)
        return next((one for one in first if one in second), None)

    def _suite(self, version: int, offer: Offer, group: int | None) -> int | None:
        own = self.suites[version]
        if self.chacha_first and is_chacha(offer.suites[0]):
            own = tuple(sorted(own, key=lambda suite: not is_chacha(suite)))
        first, second = (own, offer.suites) if self.own_order else (offer.suites, own)
        return next((one for one in first if one in second and self._is_usable(one, offer, group)), None)

    def _is_usable(self, suite: int, offer: Offer, group: int | None) -> bool:
        # Without the extension any curve will do (RFC 8422 section 4).
        if is_ecdhe(suite) and offer.groups and group is None:
            return False
        by_ecdsa = "_ECDSA_" in suite_name(suite) and self.certificate_curve is not None
        return not by_ecdsa or not offer.groups or self.certificate_curve in offer.groups

    def _chosen(self, offer: Offer, suite: int, group: int | None) -> Chosen:
        shown = {
            code.RENEGOTIATION_INFO: self.secure_renegotiation and not offer.plain,
            code.EXTENDED_MASTER_SECRET: self.extended_master_secret and not offer.plain,
            code.ENCRYPT_THEN_MAC: self.encrypt_then_mac and is_cbc(suite) and not offer.plain,
            code.SESSION_TICKET: self.session_tickets and not offer.plain,
        }
        old = {code.RENEGOTIATION_INFO} if offer.version == code.SSL3 else set(shown)
        hello = ServerHello(
            version=offer.version,
            suite=suite,
            compression=int(self.compression and not offer.plain),
            retry=False,
            extensions={kind: b"" for kind, is_shown in shown.items() if is_shown and kind in old},
            alpn=self.alpn[0] if offer.alpn and self.alpn else None,
        )
        has_dh = suite_name(suite).startswith(_DHE)
        return Chosen(offer, hello, group=group if is_ecdhe(suite) else None, dh_bits=self.dh_bits if has_dh else None)


def enumerate_model(server: ModelServer, *, alpn: bool = True) -> Posture:
    """The posture that a full scan would find."""
    asked = _Recorder(server)
    ssl2 = Support.ACCEPTED if isinstance(asked(Offer(code.SSL2, ())), Chosen) else Support.REJECTED
    older = [VersionFound(code.SSL2, ssl2, complete=ssl2 is Support.REJECTED)]
    for version in (code.SSL3, code.TLS10, code.TLS11, code.TLS12):
        older.append(play(enumerate_version(version, alpn=alpn and version == code.TLS12), asked))
    tls13 = play(enumerate_tls13(alpn=alpn), asked)
    best = best_with_suites(older)
    groups = None if best is None else play(enumerate_groups(best), asked)
    accepted = [one for one in older if one.support is Support.ACCEPTED]
    below = best_with_suites(accepted if tls13.version.support is Support.ACCEPTED else accepted[:-1])
    fallback = Support.UNKNOWN if below is None else play(probe_fallback(below), asked)
    found = Found(versions=older, tls13=tls13, groups=groups, fallback_scsv=fallback, chosen=asked.chosen)
    return describe_posture(found, address="192.0.2.1", connections=asked.count, duration_ms=0)


class _Recorder:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.chosen: list[Chosen] = []
        self.count = 0

    def __call__(self, offer: Offer) -> Answer:
        self.count += 1
        answer = self._server(offer)
        if isinstance(answer, Chosen):
            self.chosen.append(answer)
        return answer


def play(strategy: Generator[Offer, Answer, T], server: Server) -> T:
    """What a strategy of one offer at a time finds."""
    try:
        offer = next(strategy)
        while True:
            offer = strategy.send(server(offer))
    except StopIteration as end:
        result: T = end.value
        return result


def check_model(before: Posture, server: Server, *, seed: str = "", alpn: bool = True) -> tuple[Verdict, int]:
    """The verdict of a posture check, and how many connections it took."""
    strategy, count = check_posture(before, seed=seed, alpn=alpn), 0
    try:
        offers = next(strategy)
        while True:
            count += len(offers)
            offers = strategy.send([server(offer) for offer in offers])
    except StopIteration as end:
        verdict: Verdict = end.value
        return verdict, count
