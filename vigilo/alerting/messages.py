"""The one sentence that says what a transition is about; every channel builds on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from vigilo.alerting import threshold
from vigilo.alerting.triggers import certificate_changed, weak_key
from vigilo.alerting.view import View
from vigilo.events.alerts import AlertFacts, CloseReason, TransitionKind
from vigilo.events.cards import CertificateChange, PathCertificate
from vigilo.events.rules import AlertRule
from vigilo.events.text import visible
from vigilo.events.triggers import WeakKey

_TEN_THOUSANDTH = timedelta(days=1) / 10_000

_CLOSED_BECAUSE = {
    CloseReason.CLEARED: "cleared",
    CloseReason.HOST_PAUSED: "closed, the host is paused",
    CloseReason.HOST_DELETED: "closed, the host was deleted",
    CloseReason.RULE_DELETED: "closed, the rule was deleted",
    CloseReason.RULE_DISABLED: "closed, the rule was disabled",
    CloseReason.LEFT_SCOPE: "closed, the host is no longer in the rule's scope",
    CloseReason.NOT_APPLICABLE: "closed, not applicable any more",
}


def summary(
    kind: TransitionKind, rule: AlertRule, view: View, *, at: datetime, reason: CloseReason | None = None
) -> str:
    """One line, at most 512 characters: host, what is the matter (or is over), and the state if it is not "opened"."""
    where = f"{view.host.hostname}:{view.host.port}"
    asked = threshold.question(rule.trigger)
    if kind is TransitionKind.CLOSED:
        how = _CLOSED_BECAUSE[reason or CloseReason.CLEARED]
        matter = asked.cleared(rule.trigger, view, at) if reason is CloseReason.CLEARED else rule.name
        return visible(f"{where}: {how}: {matter}")
    return visible(f"{where}: {_PREFIX.get(kind, '')}{asked.matter(rule.trigger, view, at)}")


_PREFIX = {
    TransitionKind.PENDING: "not yet confirmed: ",
    TransitionKind.SUPPRESSED: "snoozed: ",
    TransitionKind.ACKNOWLEDGED: "acknowledged: ",
    TransitionKind.CLEARING: "seems over, not yet confirmed: ",
    TransitionKind.REMINDER: "still open: ",
}


def facts(rule: AlertRule, view: View, *, at: datetime, scan: AlertFacts | None = None) -> AlertFacts:
    """What messages may quote: the certificate the rule's answer hangs on, the leaf otherwise.

    `scan` brings `scan_id` and `scanned_at`; days are counted from `at` and rounded down, as `summary` does; negative
    after the end.
    """
    base = (scan or AlertFacts()).model_copy(update={"performed_at": view.course.performed_at})
    known = view.known
    if known is None:
        return base
    one = threshold.question(rule.trigger).certificate(rule.trigger, view)
    return base.model_copy(
        update={
            **_certificate(one, at),
            "names": known.names,
            "names_count": known.names_count,
            "chain_reason": known.chain_reason,
            "chain_detail": known.chain_detail,
            "grade": known.grade,
            "outcome": str(known.outcome),
            "staple_status": known.staple_status,
            "tls_versions": known.versions_accepted,
            "weak": weak_key.weakness(rule.trigger, view) if isinstance(rule.trigger, WeakKey) else None,
        }
    )


def help_anchor(rule: AlertRule, view: View) -> str:
    """Which entry of docs/troubleshooting.md explains the alert."""
    return str(threshold.question(rule.trigger).help(rule.trigger, view))


def notice_summary(view: View, change: CertificateChange) -> str:
    """One line, at most 512 characters: host, what changed, and what a mere renewal would not have changed."""
    return visible(f"{view.host.hostname}:{view.host.port}: {certificate_changed.told(change)}")


def notice_facts(view: View, change: CertificateChange, *, at: datetime) -> AlertFacts:
    """What messages may quote of a change: the new certificate, the old one's fingerprint, and what was unexpected."""
    known, leaf = view.known, view.leaf
    # Else the names that are known are those of another certificate.
    shows = leaf is not None and leaf.fingerprint_sha256 == change.new.fingerprint_sha256
    return AlertFacts(
        scan_id=change.scan_id,
        scanned_at=change.requested_at,
        **_certificate(change.new, at),
        names=known.names if known is not None and shows else (),
        names_count=known.names_count if known is not None and shows else 0,
        performed_at=view.course.performed_at,
        old_fingerprint_sha256=change.old.fingerprint_sha256,
        unexpected=certificate_changed.surprises(change),
    )


def _certificate(one: PathCertificate | None, at: datetime) -> dict[str, Any]:
    if one is None:
        return {}
    return {
        "not_after": one.not_after,
        "days_left": None if one.not_after is None else (one.not_after - at) // _TEN_THOUSANDTH / 10_000,
        "fingerprint_sha256": one.fingerprint_sha256,
        "subject": one.subject,
        "issuer": one.issuer,
    }
