"""Verdicts per trust domain, cached between the instants at which they can change.

`public`: what browsers do (cryptography's WebPKI verifier over Mozilla's roots). `private`: what OpenSSL with the
workspace's anchors does. A chain is valid for a host when a domain of its `trust` says yes.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import DNSName, IPAddress
from cryptography.x509.oid import PublicKeyAlgorithmOID
from cryptography.x509.verification import PolicyBuilder, VerificationError

from vigilo.events.cards import TrustDomain, TrustReason, TrustVerdict, Verdict
from vigilo.grading.trust.budget import searchable, too_many_paths, too_much
from vigilo.grading.trust.diagnosis import Refusal, diagnose, find_path
from vigilo.grading.trust.distrust import tell
from vigilo.grading.trust.purpose import NO_USABLE_EXTENSION
from vigilo.grading.trust.stores import AnchorSet, TrustStores, validity_edges

MAX_DEPTH = 8
_CACHE_ENTRIES = 20_000
# Baseline Requirements section 7.1.3.1. cryptography's verifier looks at signatures, not at the leaf's own key.
_KEYS_NO_BROWSER_TAKES = frozenset({PublicKeyAlgorithmOID.ED25519, PublicKeyAlgorithmOID.ED448})
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_END = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Entry:
    verdict: TrustVerdict
    since: datetime
    until: datetime


class TrustJudge:
    """Judges chains against one set of stores. Deterministic: the cache only saves work.

    A verdict can change by time alone only at a validity edge of a served certificate or of an anchor, so it is kept
    for the open interval between the edges around the instant it was asked for.
    """

    def __init__(self, stores: TrustStores, *, entries: int = _CACHE_ENTRIES) -> None:
        self.stores = stores
        self._entries = entries
        self._cache: OrderedDict[tuple[TrustDomain, tuple[bytes, ...]], _Entry] = OrderedDict()

    def judge(self, chain_der: Sequence[bytes], domain: TrustDomain, *, at: datetime) -> TrustVerdict:
        """The verdict on this chain (DER, leaf first, as served) for one domain. Raises nothing for any bytes."""
        key = (domain, tuple(chain_der))
        entry = self._cache.get(key)
        if entry is not None and entry.since < at < entry.until:
            self._cache.move_to_end(key)
            return entry.verdict
        entry = self._decide(chain_der, domain, at=at)
        self._cache[key] = entry
        self._cache.move_to_end(key)
        if len(self._cache) > self._entries:
            self._cache.popitem(last=False)
        return entry.verdict

    def _decide(self, chain_der: Sequence[bytes], domain: TrustDomain, *, at: datetime) -> _Entry:
        try:
            chain = [x509.load_der_x509_certificate(der) for der in chain_der]
        except ValueError as error:
            return _Entry(_unreadable(domain, str(error)), _BEGINNING, _END)
        anchors = self.stores.public if domain is TrustDomain.PUBLIC else self.stores.private
        verdict = (
            _judge_public(chain, self.stores, at=at)
            if domain is TrustDomain.PUBLIC
            else (_judge_private(chain, anchors, at=at))
        )
        since, until = _steady_interval(chain, anchors, at=at)
        return _Entry(verdict, since, until)


def _steady_interval(
    chain: Sequence[x509.Certificate], anchors: AnchorSet, *, at: datetime
) -> tuple[datetime, datetime]:
    own = {edge for certificate in chain for edge in validity_edges(certificate)}
    before = [edge for edge in own if edge <= at]
    after = [edge for edge in own if edge >= at]
    instants = anchors.instants
    place = bisect.bisect_right(instants, at)
    if place > 0:
        before.append(instants[place - 1])
    following = bisect.bisect_left(instants, at)
    if following < len(instants):
        after.append(instants[following])
    return max(before, default=_BEGINNING), min(after, default=_END)


def _judge_public(chain: Sequence[x509.Certificate], stores: TrustStores, *, at: datetime) -> TrustVerdict:
    leaf, others, anchors = chain[0], chain[1:], stores.public
    reason = too_much(leaf, others)
    if reason is not None:
        return _too_complex(TrustDomain.PUBLIC, reason)
    wanted = searchable(leaf, others)
    reason = too_many_paths(leaf, wanted, anchors.by_subject, max_depth=MAX_DEPTH)
    if reason is not None:
        return _judge_straight_path(chain, stores, reason, at=at)
    path = _webpki_path(leaf, wanted, anchors, at=at)
    if not isinstance(path, str):
        return _unless_distrusted(path, wanted, stores, at=at)
    refusal = diagnose(leaf, others, anchors, at=at)
    if refusal is None:
        # OpenSSL accepts it; only the stricter WebPKI profile does not.
        return _no(TrustDomain.PUBLIC, TrustReason.CONSTRAINT, path, 0, None)
    return _no(TrustDomain.PUBLIC, refusal.reason, refusal.detail, refusal.depth, refusal.certificate_sha256)


def _judge_straight_path(
    chain: Sequence[x509.Certificate], stores: TrustStores, reason: str, *, at: datetime
) -> TrustVerdict:
    """Over the budget nothing is searched, but the path OpenSSL goes straight to may already be a good one."""
    leaf, anchors = chain[0], stores.public
    found = find_path(leaf, chain[1:], anchors, at=at)
    if not isinstance(found, Refusal):
        alone = found[1:-1]
        affordable = too_many_paths(leaf, alone, anchors.by_subject, max_depth=MAX_DEPTH) is None
        path = _webpki_path(leaf, alone, anchors, at=at) if affordable else reason
        if not isinstance(path, str) and not stores.distrust.against(leaf, path[-1]):
            return TrustVerdict(domain=TrustDomain.PUBLIC, trusted=Verdict.YES)
    return _too_complex(TrustDomain.PUBLIC, reason)


def _unless_distrusted(
    path: Sequence[x509.Certificate], others: Sequence[x509.Certificate], stores: TrustStores, *, at: datetime
) -> TrustVerdict:
    leaf, root = path[0], path[-1]
    rows = stores.distrust.against(leaf, root)
    if not rows:
        return TrustVerdict(domain=TrustDomain.PUBLIC, trusted=Verdict.YES)
    # Another path may end at a root that nobody has given up.
    rest = stores.public.without(stores.distrust.refused(leaf))
    if rest.anchors and not isinstance(_webpki_path(leaf, others, rest, at=at), str):
        return TrustVerdict(domain=TrustDomain.PUBLIC, trusted=Verdict.YES)
    sha256 = root.fingerprint(hashes.SHA256()).hex()
    return _no(TrustDomain.PUBLIC, TrustReason.DISTRUSTED, tell(rows, leaf), len(path) - 1, sha256)


def _judge_private(chain: Sequence[x509.Certificate], anchors: AnchorSet, *, at: datetime) -> TrustVerdict:
    reason = too_much(chain[0], chain[1:])
    if reason is not None:
        return _too_complex(TrustDomain.PRIVATE, reason)
    refusal = diagnose(chain[0], chain[1:], anchors, at=at)
    if refusal is None:
        return TrustVerdict(domain=TrustDomain.PRIVATE, trusted=Verdict.YES)
    return _no(TrustDomain.PRIVATE, refusal.reason, refusal.detail, refusal.depth, refusal.certificate_sha256)


def _no(
    domain: TrustDomain, reason: TrustReason, detail: str, depth: int, certificate_sha256: str | None
) -> TrustVerdict:
    return TrustVerdict(
        domain=domain,
        trusted=Verdict.NO,
        reason=reason,
        detail=detail,
        depth=depth,
        certificate_sha256=certificate_sha256,
    )


def _too_complex(domain: TrustDomain, detail: str) -> TrustVerdict:
    said = f"chain too complex: {detail}"
    return TrustVerdict(domain=domain, trusted=Verdict.UNKNOWN, reason=TrustReason.TOO_COMPLEX, detail=said)


def _unreadable(domain: TrustDomain, detail: str) -> TrustVerdict:
    return TrustVerdict(domain=domain, trusted=Verdict.UNKNOWN, reason=TrustReason.UNREADABLE, detail=detail)


def _webpki_path(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], anchors: AnchorSet, *, at: datetime
) -> Sequence[x509.Certificate] | str:
    """The path the WebPKI verifier accepts, leaf first, root last; or its objection. It insists on a name, so it is
    given one the leaf itself carries: whether the *asked* name matches is another question with a rule of its own."""
    subject = _own_name(leaf)
    if subject is None:
        return "the certificate has no subjectAltName of type DNS or IP address"
    if leaf.public_key_algorithm_oid in _KEYS_NO_BROWSER_TAKES:
        return "public authorities may certify RSA and ECDSA keys only, and browsers offer no signatures of EdDSA"
    builder = PolicyBuilder().store(anchors.pyca_store).time(at).max_chain_depth(MAX_DEPTH)
    try:
        return builder.build_server_verifier(subject).verify(leaf, list(others))
    except (VerificationError, ValueError) as error:
        return str(error)


def _own_name(leaf: x509.Certificate) -> DNSName | IPAddress | None:
    try:
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except NO_USABLE_EXTENSION:
        return None
    for name in san.get_values_for_type(DNSName):
        concrete = f"host{name[1:]}" if name.startswith("*.") else name
        try:
            return DNSName(concrete)
        except ValueError:
            continue
    for address in san.get_values_for_type(IPAddress):
        # Eight or 32 bytes decode as a network, which is nobody's address (RFC 5280 section 4.2.1.6).
        if isinstance(address, (IPv4Address, IPv6Address)):
            return IPAddress(address)
    return None
