"""The one sentence that says what a transition is about; every channel builds on it."""

from __future__ import annotations

from datetime import datetime, timedelta

from vigilo.alerting import threshold
from vigilo.alerting.view import View
from vigilo.events.alerts import AlertFacts, CloseReason, TransitionKind
from vigilo.events.rules import AlertRule
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

    `scan` brings `scan_id` and `scanned_at`; days are counted from `at`, negative after the end.
    """
    base, known = scan or AlertFacts(), view.known
    if known is None:
        return base
    one = threshold.question(rule.trigger).certificate(rule.trigger, view)
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
