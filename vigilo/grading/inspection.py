"""Everything a rule may look at, gathered once per snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from vigilo.events.cards import TrustDomain, TrustReason, TrustVerdict, Verdict
from vigilo.events.facts import CertificateFacts, StapleStatus
from vigilo.events.hosts import Trust
from vigilo.events.scans import Snapshot
from vigilo.grading.staple import judge_staple
from vigilo.grading.trust.judge import TrustJudge
from vigilo.tls.certificate import certificate_names
from vigilo.tls.names import matches_name

_DOMAINS = {
    Trust.ANY: (TrustDomain.PUBLIC, TrustDomain.PRIVATE),
    Trust.PUBLIC: (TrustDomain.PUBLIC,),
    Trust.PRIVATE: (TrustDomain.PRIVATE,),
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """The facts of one successful scan and the verdicts that rules share. `chain` is leaf first, never empty."""

    snapshot: Snapshot
    chain: tuple[CertificateFacts, ...]
    trust: tuple[TrustVerdict, ...]
    chain_valid: Verdict
    chain_reason: TrustReason | None
    chain_detail: str | None
    name_matches: Verdict
    staple_status: StapleStatus | None
    at: datetime

    @property
    def leaf(self) -> CertificateFacts:
        """The end-entity certificate."""
        return self.chain[0]

    @property
    def issuers(self) -> tuple[CertificateFacts, ...]:
        """The served certificates that are neither the leaf nor self-issued: the intermediates of the path."""
        return tuple(certificate for certificate in self.chain[1:] if not certificate.self_issued)


def inspect(snapshot: Snapshot, chain_der: Sequence[bytes] | None, judge: TrustJudge, *, at: datetime) -> Inspection:
    """Gathers the verdicts on a snapshot whose outcome is ok. `chain_der` None = the chain's bytes are not known."""
    trust = tuple(_verdicts(snapshot, chain_der, judge, at=at))
    valid, worst = _combine(trust)
    leaf = snapshot.chain[0]
    staple_status = judge_staple(leaf, snapshot.staple, at=at)
    reason, detail = (worst.reason, worst.detail) if worst is not None else (None, None)
    if staple_status is StapleStatus.REVOKED:
        valid, reason, detail = Verdict.NO, TrustReason.REVOKED, "the stapled OCSP response says revoked"
    return Inspection(
        snapshot=snapshot,
        chain=snapshot.chain,
        trust=trust,
        chain_valid=valid,
        chain_reason=reason,
        chain_detail=detail,
        name_matches=_name_verdict(snapshot, leaf, chain_der),
        staple_status=staple_status,
        at=at,
    )


def _verdicts(
    snapshot: Snapshot, chain_der: Sequence[bytes] | None, judge: TrustJudge, *, at: datetime
) -> list[TrustVerdict]:
    wanted = _DOMAINS[snapshot.target.trust]
    if snapshot.target.trust is Trust.ANY and not judge.stores.private.anchors:
        wanted = (TrustDomain.PUBLIC,)
    if not chain_der:
        detail = "the certificates' bytes are not known"
        return [
            TrustVerdict(domain=domain, trusted=Verdict.UNKNOWN, reason=TrustReason.UNREADABLE, detail=detail)
            for domain in wanted
        ]
    return [judge.judge(chain_der, domain, at=at) for domain in wanted]


def _combine(trust: tuple[TrustVerdict, ...]) -> tuple[Verdict, TrustVerdict | None]:
    """One domain's yes is enough; else the last domain's no, for a private host is judged last and knows best."""
    if any(verdict.trusted is Verdict.YES for verdict in trust):
        return Verdict.YES, None
    refusals = [verdict for verdict in trust if verdict.trusted is Verdict.NO]
    if refusals:
        return Verdict.NO, refusals[-1]
    return Verdict.UNKNOWN, trust[-1]


def _name_verdict(snapshot: Snapshot, leaf: CertificateFacts, chain_der: Sequence[bytes] | None) -> Verdict:
    asked = snapshot.target.sni or snapshot.target.hostname
    if matches_name(asked, dns_names=leaf.san, ip_addresses=leaf.san_ip):
        return Verdict.YES
    if leaf.parse_error is None and leaf.san_count <= len(leaf.san) + len(leaf.san_ip):
        return Verdict.NO
    # Names beyond the cap are not in the snapshot, but in the certificate.
    return Verdict.UNKNOWN if not chain_der else _named_in(chain_der[0], asked)


def _named_in(der: bytes, asked: str) -> Verdict:
    try:
        dns, addresses, _ = certificate_names(x509.load_der_x509_certificate(der))
    except Exception:  # hostile bytes: whatever the parser says, it is about them
        return Verdict.UNKNOWN
    return Verdict.YES if matches_name(asked, dns_names=dns, ip_addresses=addresses) else Verdict.NO
