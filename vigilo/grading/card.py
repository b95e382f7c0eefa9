"""A snapshot's report card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from vigilo.events.cards import PathCertificate, ReportCard
from vigilo.events.clients import ClientResult
from vigilo.events.facts import CertificateFacts, KeyAlgorithm
from vigilo.events.hosts import Probing
from vigilo.events.scans import Outcome, Snapshot
from vigilo.grading.assessment import Assessment, assess
from vigilo.grading.clients.simulation import simulate
from vigilo.grading.enumerated import versions_accepted, versions_rejected
from vigilo.grading.inspection import inspect
from vigilo.grading.rulebook import VIGILO_2026, Rulebook
from vigilo.grading.staple import wants_staple
from vigilo.grading.trust.judge import TrustJudge

_NAMES_ON_CARD = 10


def grade_snapshot(
    snapshot: Snapshot,
    chain_der: Sequence[bytes] | None,
    *,
    judge: TrustJudge,
    at: datetime,
    late: bool = False,
    rulebook: Rulebook = VIGILO_2026,
) -> ReportCard:
    """The card of one snapshot. Same arguments, same card; raises nothing for any snapshot.

    `chain_der` is the chain as served, leaf first, or None when its bytes are not known. A scan that failed has a card
    without a letter.
    """
    if snapshot.outcome is not Outcome.OK or not snapshot.chain:
        return _card_without_letter(snapshot, judge, rulebook, at=at, late=late)
    inspection = inspect(snapshot, chain_der, judge, at=at)
    return _card(snapshot, assess(inspection, rulebook), judge, rulebook, late=late)


def _card(snapshot: Snapshot, found: Assessment, judge: TrustJudge, rulebook: Rulebook, *, late: bool) -> ReportCard:
    inspection, leaf = found.inspection, found.inspection.leaf
    return ReportCard(
        scan_id=snapshot.scan_id,
        target=snapshot.target,
        requested_at=snapshot.requested_at,
        late=late,
        outcome=snapshot.outcome,
        detail=snapshot.detail,
        grade=found.grade,
        posture_grade=found.posture_grade,
        special=next((finding.special for finding in found.findings if finding.special is not None), None),
        provisional=_is_provisional(inspection.snapshot),
        deciding=found.deciding,
        to_improve=found.to_improve,
        findings=found.findings,
        clients=_clients(inspection.snapshot),
        trust=inspection.trust,
        chain_valid=inspection.chain_valid,
        chain_reason=inspection.chain_reason,
        chain_detail=inspection.chain_detail,
        name_matches=inspection.name_matches,
        path=tuple(path_certificate(certificate) for certificate in inspection.chain),
        names=(*leaf.san, *leaf.san_ip)[:_NAMES_ON_CARD],
        names_count=leaf.san_count,
        staple_status=inspection.staple_status,
        staple_wanted=wants_staple(leaf),
        tls_version=snapshot.tls_version,
        versions_accepted=versions_accepted(snapshot),
        versions_rejected=versions_rejected(snapshot),
        pool_suspect=snapshot.pool_suspect,
        rulebook=rulebook.name,
        trust_store=judge.stores.version,
        graded_at=inspection.at,
    )


def _clients(snapshot: Snapshot) -> tuple[ClientResult, ...]:
    return () if snapshot.posture is None else simulate(snapshot.posture, snapshot.chain[0])


def _is_provisional(snapshot: Snapshot) -> bool:
    """Until a first enumeration that can be believed; where none is wanted, the letter is final without it."""
    return snapshot.posture is None and snapshot.target.probing is Probing.FULL


def _card_without_letter(
    snapshot: Snapshot, judge: TrustJudge, rulebook: Rulebook, *, at: datetime, late: bool
) -> ReportCard:
    return ReportCard(
        scan_id=snapshot.scan_id,
        target=snapshot.target,
        requested_at=snapshot.requested_at,
        late=late,
        outcome=snapshot.outcome,
        detail=snapshot.detail,
        pool_suspect=snapshot.pool_suspect,
        rulebook=rulebook.name,
        trust_store=judge.stores.version,
        graded_at=at,
    )


def path_certificate(certificate: CertificateFacts) -> PathCertificate:
    """The few facts of a certificate that alert rules and messages use."""
    return PathCertificate(
        fingerprint_sha256=certificate.fingerprint_sha256,
        subject=certificate.subject,
        issuer=certificate.issuer,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        key_algorithm=_key_algorithm(certificate),
        key_bits=certificate.key_bits,
        signature_algorithm=certificate.signature_algorithm or None,
        weak_key=certificate.weak_key,
    )


def _key_algorithm(certificate: CertificateFacts) -> str | None:
    if certificate.key_algorithm is KeyAlgorithm.OTHER:
        return certificate.key_detail
    return certificate.key_algorithm
