"""What a telling says, in words and in an order people can read; channels put it into their own form. Pure.

All texts are harmless to read (no hidden characters, one line, length-capped); each form still has its own encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.notifier.channels.links import Pages, runbook, safe_url
from services.notifier.channels.shrinking import clip
from services.notifier.tellings import DigestLine, DigestTelling, NoticeTelling, Telling, TestTelling, TransitionTelling
from vigilo.events.alerts import AlertFacts, AlertHost, AlertTransition, TransitionKind
from vigilo.events.rules import Severity

VALUE_MAX = 512
NAMES_MAX = 20
_SHOWN_STATES = {
    TransitionKind.CLOSED: "CLOSED",
    TransitionKind.ACKNOWLEDGED: "ACKNOWLEDGED",
}
# Who did it and is gone from the workspace, by the kind of actor (Caller.name); an id tells people nothing.
_NAMELESS = {"user": "somebody", "token": "a token"}
# What moved the alert, for those who do not know our words for it (AlertTransition.cause).
_CAUSES = {
    "time": "time: a threshold was crossed, or a snooze ended",
    "host": "host: it was edited, paused or resumed, or its snooze ended",
    "rule": "rule: it was edited, or a snooze ended",
    "command": "command: somebody asked for it",
    "change": "change: another certificate is served",
    "rulebook": "rulebook: the same certificates are judged by another rulebook or trust store",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, and what it is here."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link with our own words on it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A message before it has a form.

    `tag` is the severity or the state, in capitals; `calm` = nothing is asked of anybody (closed, acknowledged, test).
    `lines` are those of a digest, `more` how many alerts have none. `alert_id` joins the messages of one alert.
    """

    tag: str
    headline: str
    severity: Severity
    calm: bool
    at: datetime
    text: str = ""
    facts: tuple[Fact, ...] = ()
    lines: tuple[str, ...] = ()
    more: int = 0
    links: tuple[Link, ...] = ()
    alert_id: UUID | None = None

    @property
    def subject(self) -> str:
        """`[CRITICAL] shop.example:443: expires in 6 days`."""
        return f"[{self.tag}] {self.headline}"

    @property
    def safe_links(self) -> tuple[Link, ...]:
        """The links that a message may have, as `safe_url` writes them."""
        return tuple(Link(link.text, url) for link in self.links if (url := safe_url(link.url)) is not None)


def worded(telling: Telling, *, public_url: str) -> Wording:
    """The telling in words."""
    pages = Pages(public_url)
    match telling:
        case DigestTelling():
            return _digest(telling, pages)
        case TestTelling():
            return _test(telling, pages)
        case NoticeTelling():
            return _notice(telling, pages)
        case _:
            return _transition(telling, pages)


def where(host: AlertHost) -> str:
    """host:port, an IPv6 address in brackets."""
    name = f"[{host.hostname}]" if ":" in host.hostname else host.hostname
    return f"{clip(name, limit=260)}:{host.port}"


def moment(at: datetime) -> str:
    """`2026-12-13 12:00:00 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def who(by: str | None, name: str | None) -> str | None:
    """Who did it, as people say it: today's name, never an id; None for nobody. Not yet harmless to read."""
    kind, colon, _ = (by or "").partition(":")
    if not colon or kind not in _NAMELESS:
        return by
    if not name:
        return _NAMELESS[kind]
    return f"the token '{name}'" if kind == "token" else name


def _transition(telling: TransitionTelling, pages: Pages) -> Wording:
    transition = telling.transition
    severity = transition.rule.severity
    book = runbook(transition)
    links = [Link("Alert", pages.alert(transition.alert_id)), Link("Host", pages.host(transition.host_id))]
    if book is not None:
        links.append(Link("Runbook", book))
    links.append(Link("Acknowledge or snooze", pages.silence(transition.alert_id)))
    return Wording(
        tag=_SHOWN_STATES.get(transition.kind, severity.value.upper()),
        headline=clip(transition.summary),
        severity=severity,
        calm=transition.kind in _SHOWN_STATES,
        at=transition.at,
        facts=facts_of(transition, by_name=telling.by_name),
        links=tuple(links),
        alert_id=transition.alert_id,
    )


def _digest(telling: DigestTelling, pages: Pages) -> Wording:
    lines = tuple(_line(line) for line in telling.lines)
    return Wording(
        tag=_SHOWN_STATES.get(telling.what, telling.severity.value.upper()),
        headline=f"{telling.count:,} alerts {telling.what.value}: {clip(telling.title, limit=300)}",
        severity=telling.severity,
        calm=telling.what in _SHOWN_STATES,
        at=telling.at,
        lines=lines,
        more=max(telling.count - len(lines), 0),
        links=(Link("All alerts", pages.alerts()),),
    )


def _line(line: DigestLine) -> str:
    where, summary = clip(line.where, limit=260), clip(line.summary)
    return f"{where} ({line.severity.value}): {summary.removeprefix(f'{where}: ')}"  # summaries name the host first


def _test(telling: TestTelling, pages: Pages) -> Wording:
    channel, by = clip(telling.channel, limit=200), clip(str(who(telling.by, telling.by_name)), limit=254)
    return Wording(
        tag="TEST",
        headline=f"Test message for the channel {channel}",
        severity=Severity.INFO,
        calm=True,
        at=telling.at,
        text=f"Asked for by {by}. The channel works; nothing is wrong.",
        links=(Link("Channels", pages.channels()),),
    )


def _notice(telling: NoticeTelling, pages: Pages) -> Wording:
    return Wording(
        tag=telling.severity.value.upper(),
        headline=clip(telling.title, limit=300),
        severity=telling.severity,
        calm=False,
        at=telling.at,
        text=clip(telling.text, limit=2000),
        links=(Link("Channels", pages.channels()), Link("Alerts", pages.alerts())),
    )


def facts_of(transition: AlertTransition, *, by_name: str | None = None) -> tuple[Fact, ...]:
    """Everything a person wants to know of it, the weightiest first; what is not known is left out."""
    rule, host = transition.rule, transition.host
    told: list[tuple[str, object]] = [
        ("Host", where(host)),
        ("Owner", host.owner),
        *_certificate(transition.facts),
        ("Rule", f"{clip(rule.name, limit=200)} (version {rule.version})"),
        ("Asked", _question(transition)),
        ("Severity", rule.severity.value),
        ("Note", transition.note),
        ("By", who(transition.by, by_name)),
        ("Decided by", _CAUSES.get(transition.cause, transition.cause)),
        ("Opened", moment(transition.opened_at)),
        ("Closed because", transition.close_reason),
        ("Snoozed until", None if transition.snoozed_until is None else moment(transition.snoozed_until)),
        ("Tags", ", ".join(host.tags)),
    ]
    return _said(told)


def _certificate(facts: AlertFacts) -> list[tuple[str, object]]:
    return [
        ("Days left", None if facts.days_left is None else _days(facts.days_left)),
        ("Expires", None if facts.not_after is None else moment(facts.not_after)),
        ("Subject", facts.subject),
        ("Issuer", facts.issuer),
        ("Fingerprint (SHA-256)", facts.fingerprint_sha256),
        ("Fingerprint before", facts.old_fingerprint_sha256),
        ("Names", _names(facts)),
        ("Grade", facts.grade),
        ("Chain", ": ".join(str(part) for part in (facts.chain_reason, facts.chain_detail) if part)),
        ("Outcome", facts.outcome),
        ("Stapled", facts.staple_status),
        ("Versions", ", ".join(facts.tls_versions)),
        ("Weak", facts.weak),
        ("Unexpected", ", ".join(facts.unexpected)),
    ]


def _days(left: float) -> str:
    """With one decimal, rounded down as the headline rounds: nobody shall read "in 4 days" and "5.0" in one message."""
    nearest = round(left, 1)
    return f"{nearest if nearest <= left else nearest - 0.1:.1f}"


def _names(facts: AlertFacts) -> str:
    """Some names, and how many there are beside them."""
    count = max(facts.names_count, len(facts.names))
    shown: list[str] = []
    for name in facts.names[:NAMES_MAX]:
        if sum(map(len, shown)) + len(name) > VALUE_MAX // 2:
            break
        shown.append(clip(name, limit=VALUE_MAX // 2))
    if count == len(shown):
        return ", ".join(shown)
    rest = f"{count - len(shown):,} more: see the host's page"
    return f"{', '.join(shown)} and {rest}" if shown else rest


def _question(transition: AlertTransition) -> str:
    trigger = transition.rule.trigger.model_dump(mode="json", exclude_none=True)
    kind = trigger.pop("kind")
    said = (
        f"{name} {round(value, 3):g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in trigger.items()
    )
    parameters = ", ".join(said)
    return f"{kind} ({parameters})" if parameters else str(kind)


def _said(told: list[tuple[str, object]]) -> tuple[Fact, ...]:
    return tuple(Fact(label, clip(str(value), limit=VALUE_MAX)) for label, value in told if value not in (None, ""))
