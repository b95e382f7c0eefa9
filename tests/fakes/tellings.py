"""Tellings made to order, and one whose every text is an attack."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.notifier.tellings import (
    DigestLine,
    DigestTelling,
    NoticeTelling,
    Telling,
    TestTelling,
    TransitionTelling,
)
from tests.fakes.alerts import AT, HOST, WORKSPACE, transition
from vigilo.events import ids
from vigilo.events.alerts import AlertTransition, TransitionKind
from vigilo.events.rules import Severity
from vigilo.events.triggers import ExpiresInLessThan

ATTACK = (
    "x\r\nBcc: victim@evil.test\r\n\r\n<script>alert(1)</script><img src=x onerror=alert(1)>"
    "<!channel> <@U123> <!here> <http://evil.test|click> *b* _i_ ~s~ `c` :fire: & &lt; "
    "\u202egnp.exe\u202c\u200b\ufeff\x00\x1b[31m{{ 7*7 }} {% raw %} \"'\\ </td>|\u2028\u2029 ünïcödé 🎉 "
)
LONG_ATTACK = ATTACK * (10_240 // len(ATTACK) + 1)


def opened() -> AlertTransition:
    """An alert as it usually is, with everything a message may tell."""
    usual = transition(TransitionKind.OPENED)
    return usual.model_copy(
        update={
            "summary": "shop.example:443: certificate expires in 6 days",
            "host": usual.host.model_copy(
                update={
                    "hostname": "shop.example",
                    "tags": ("prod", "shop"),
                    "owner": "Shop team",
                    "runbook_url": "https://wiki.example/tls",
                }
            ),
            "rule": usual.rule.model_copy(
                update={
                    "severity": Severity.CRITICAL,
                    "name": "Expires within a week",
                    "trigger": ExpiresInLessThan(days=7),
                }
            ),
            "facts": usual.facts.model_copy(
                update={
                    "not_after": AT + timedelta(days=6),
                    "days_left": 6.0,
                    "subject": "CN=shop.example",
                    "issuer": "CN=R11,O=Let's Encrypt,C=US",
                    "names": ("shop.example", "www.shop.example"),
                    "names_count": 2,
                }
            ),
        }
    )


def hostile(kind: TransitionKind = TransitionKind.OPENED, *, text: str = LONG_ATTACK) -> AlertTransition:
    """Every text is the attack, raw, as if nothing before had made it harmless; 5,000 names."""
    usual = transition(kind)
    return usual.model_copy(
        update={
            "summary": text,
            "note": text,
            "by": text,
            "cause": text,
            "snoozed_until": AT,
            "host": usual.host.model_copy(
                update={
                    "hostname": text,
                    "owner": text,
                    "tags": (text,) * 50,
                    "runbook_url": f"https://evil.test/{text}",
                }
            ),
            "rule": usual.rule.model_copy(update={"name": text, "runbook_url": f"javascript:{text}"}),
            "facts": usual.facts.model_copy(
                update={
                    "subject": text,
                    "issuer": text,
                    "chain_detail": text,
                    "outcome": text,
                    "weak": text,
                    "tls_versions": (text,) * 10,
                    "names": (text,) * 20 + tuple(f"n{number}.{text[:40]}" for number in range(4_980)),
                    "names_count": 5_000,
                    "days_left": float("inf"),
                    "not_after": AT,
                    "old_fingerprint_sha256": text,
                }
            ),
        }
    )


def digest(count: int = 200, *, text: str = "certificate expires in 20 days", lines: int = 20) -> DigestTelling:
    """Many alerts of one rule."""
    made = tuple(
        DigestLine(
            alert_id=ids.alert_id(WORKSPACE, HOST, str(number)),
            host_id=HOST,
            where=f"h{number}.acme.test:443" if text.isprintable() else text,
            summary=f"h{number}.acme.test:443: {text}" if text.isprintable() else text,
            severity=Severity.WARNING,
        )
        for number in range(lines)
    )
    return DigestTelling(
        workspace_id=WORKSPACE,
        what=TransitionKind.OPENED,
        title="the rule Expires soon" if text.isprintable() else text,
        severity=Severity.CRITICAL,
        count=count,
        lines=made,
        at=AT,
    )


def sample(*, text: str = "ops") -> TestTelling:
    """ "Test this channel"."""
    return TestTelling(channel=text, by="ada@acme.test" if text.isprintable() else text, at=AT)


def notice(*, text: str = "The pool eu-1 has lost its network") -> NoticeTelling:
    """Something that is no alert."""
    return NoticeTelling(
        workspace_id=WORKSPACE, title=text, text=f"{text}. Nothing was concluded from its scans.", at=AT
    )


def told(change: AlertTransition) -> TransitionTelling:
    """The telling of one transition."""
    return TransitionTelling(transition=change)


def acknowledged_by(actor: str) -> TransitionTelling:
    """The usual alert, acknowledged."""
    return told(opened().model_copy(update={"kind": TransitionKind.ACKNOWLEDGED, "by": actor}))


def named(telling: TransitionTelling, name: str | None) -> TransitionTelling:
    """The telling as it is sent: with the name of who did it."""
    return telling.model_copy(update={"by_name": name})


def hostile_tellings() -> list[Telling]:
    """The attack in every kind of telling."""
    return [
        *(told(hostile(kind)) for kind in TransitionKind),
        named(acknowledged_by("token:018f3e5c-0000-7000-8000-000000000001"), LONG_ATTACK),
        named(acknowledged_by("user:018f3e5c-0000-7000-8000-000000000001"), LONG_ATTACK),
        digest(10_000, text=LONG_ATTACK),
        sample(text=LONG_ATTACK),
        sample(text=LONG_ATTACK).model_copy(update={"by": "token:x", "by_name": LONG_ATTACK}),
        notice(text=LONG_ATTACK),
    ]


def usual_tellings() -> list[Telling]:
    """One of each kind, as they usually are."""
    states = [opened().model_copy(update={"kind": kind}) for kind in TransitionKind]
    return [*(told(one) for one in states), digest(), sample(), notice()]


DELIVERY = UUID("0198f2aa-0000-7000-8000-000000000001")
