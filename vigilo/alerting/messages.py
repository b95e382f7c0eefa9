"""The one sentence that says what a transition is about; every channel builds on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting.knowledge import Knowledge
from vigilo.alerting.triggers.expires_in_less_than import first_to_expire
from vigilo.events.alerts import AlertFacts, CloseReason, TransitionKind
from vigilo.events.cards import PathCertificate
from vigilo.events.hosts import Host
from vigilo.events.rules import AlertRule, ChainValidationFails, ExpiresInLessThan
from vigilo.events.text import visible

_DAY = timedelta(days=1)

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
    kind: TransitionKind,
    rule: AlertRule,
    host: Host,
    known: Knowledge | None,
    *,
    at: datetime,
    reason: CloseReason | None = None,
) -> str:
    """One line, at most 512 characters: host, what is the matter (or is over), and the state if it is not "opened"."""
    where = f"{host.hostname}:{host.port}"
    if kind is TransitionKind.CLOSED:
        how = _CLOSED_BECAUSE[reason or CloseReason.CLEARED]
        matter = _cleared(rule, known, at) if reason is CloseReason.CLEARED else rule.name
        return visible(f"{where}: {how}: {matter}")
    return visible(f"{where}: {_PREFIX.get(kind, '')}{_matter(rule, known, at)}")


_PREFIX = {
    TransitionKind.PENDING: "not yet confirmed: ",
    TransitionKind.SUPPRESSED: "snoozed: ",
    TransitionKind.ACKNOWLEDGED: "acknowledged: ",
}


def _matter(rule: AlertRule, known: Knowledge | None, at: datetime) -> str:
    match rule.trigger:
        case ExpiresInLessThan():
            one = first_to_expire(rule.trigger, known)
            if one is None or one.not_after is None or known is None:
                return rule.name
            # Which one matters only if it is not the host's own.
            which = "certificate" if one is known.leaf else f"intermediate certificate ({one.subject})"
            return f"{which} {_expiry(one.not_after, at)}"
        case ChainValidationFails():
            reason = None if known is None else known.chain_reason
            detail = None if known is None else known.chain_detail
            told = ": ".join(str(part) for part in (reason, detail) if part)
            return f"chain validation fails{f' ({told})' if told else ''}"


def _cleared(rule: AlertRule, known: Knowledge | None, at: datetime) -> str:
    match rule.trigger:
        case ExpiresInLessThan():
            one = first_to_expire(rule.trigger, known)
            return rule.name if one is None or one.not_after is None else f"certificate {_expiry(one.not_after, at)}"
        case ChainValidationFails():
            return "the chain validates"


def _expiry(not_after: datetime, at: datetime) -> str:
    left = not_after - at
    verb = "expired" if left < timedelta(0) else "expires"
    return f"{verb} {_span(left)} ({not_after:%Y-%m-%d %H:%M} UTC)"


def _span(left: timedelta) -> str:
    size = abs(left)
    if size >= 2 * _DAY:
        words = f"{size // _DAY} days"
    elif size >= timedelta(hours=2):
        words = f"{size // timedelta(hours=1)} hours"
    else:
        words = f"{size // timedelta(minutes=1)} minutes"
    return f"{words} ago" if left < timedelta(0) else f"in {words}"


def facts(rule: AlertRule, known: Knowledge | None, *, at: datetime, scan: AlertFacts | None = None) -> AlertFacts:
    """What messages may quote: the certificate the rule's answer hangs on, the leaf otherwise.

    `scan` brings `scan_id` and `scanned_at`; days are counted from `at`, negative after the end.
    """
    base = scan or AlertFacts()
    if known is None:
        return base
    one = _certificate(rule, known)
    not_after = None if one is None else one.not_after
    return base.model_copy(
        update={
            "not_after": not_after,
            "days_left": None if not_after is None else round((not_after - at) / _DAY, 4),
            "fingerprint_sha256": None if one is None else one.fingerprint_sha256,
            "subject": None if one is None else one.subject,
            "issuer": None if one is None else one.issuer,
            "chain_reason": known.chain_reason,
            "chain_detail": known.chain_detail,
            "grade": known.grade,
            "outcome": str(known.outcome),
        }
    )


def _certificate(rule: AlertRule, known: Knowledge) -> PathCertificate | None:
    if isinstance(rule.trigger, ExpiresInLessThan):
        return first_to_expire(rule.trigger, known) or known.leaf
    return known.leaf
