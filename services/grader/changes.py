"""Certificate changes: the leaf is another one than before."""

from __future__ import annotations

from datetime import datetime

from vigilo.events.cards import CertificateChange, PathCertificate
from vigilo.events.facts import CertificateFacts
from vigilo.events.scans import Snapshot
from vigilo.grading.card import path_certificate
from vigilo.tls.certificate import read_certificate

_DAY_SECONDS = 86_400


def certificate_change(
    snapshot: Snapshot, old: PathCertificate | None, old_leaf_der: bytes | None
) -> CertificateChange | None:
    """The change this snapshot shows, or None: a first certificate, the same one, or a rollout still under way.

    Ask only where services.grader.rollouts says that the change is settled. `old_leaf_der` adds the facts that need the
    old certificate itself (names, key); without it they stay unknown.
    """
    if old is None or not snapshot.chain or snapshot.rollout:
        return None
    new = snapshot.chain[0]
    if new.fingerprint_sha256 == old.fingerprint_sha256:
        return None
    old_facts = None if old_leaf_der is None else read_certificate(old_leaf_der)
    days, share = _left(old, at=snapshot.requested_at)
    return CertificateChange(
        scan_id=snapshot.scan_id,
        target=snapshot.target,
        requested_at=snapshot.requested_at,
        old=old,
        new=path_certificate(new),
        days_left_of_old=days,
        share_left_of_old=share,
        key_reused=None if old_facts is None else old_facts.spki_sha256 == new.spki_sha256,
        issuer_changed=old.issuer != new.issuer,
        names_added=() if old_facts is None else _missing(new, from_=old_facts),
        names_lost=() if old_facts is None else _missing(old_facts, from_=new),
    )


def _left(old: PathCertificate, *, at: datetime) -> tuple[float | None, float | None]:
    if old.not_after is None or old.not_before is None or old.not_after <= old.not_before:
        return None, None
    left = (old.not_after - at).total_seconds()
    # One that was replaced before it became valid had all of its life left, not more.
    share = min(left / (old.not_after - old.not_before).total_seconds(), 1.0)
    return round(left / _DAY_SECONDS, 3), round(share, 4)


def _missing(names_of: CertificateFacts, *, from_: CertificateFacts) -> tuple[str, ...]:
    there = {*from_.san, *from_.san_ip}
    return tuple(name for name in (*names_of.san, *names_of.san_ip) if name not in there)
