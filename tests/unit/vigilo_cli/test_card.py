"""The page's section on the report card says what the card says, and nothing of its own."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console, RenderableType

from tests.fakes.snapshots import target
from vigilo.events.cards import Finding, FindingLevel, Grade, Improvement, ReportCard, Special
from vigilo.events.clients import ClientResult, Connects
from vigilo.events.scans import Outcome
from vigilo_cli.card import card_body, deciding

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOSTILE = "evil\x1b]0;owned\x07[red]not red[/red]\u202e"
OLD = Finding(
    rule="rfc8996.protocol-version",
    level=FindingLevel.FAILURE,
    title="Best protocol version",
    evidence="TLSv1.0 accepted beside TLSv1.3",
    cap=Grade.C,
    citation="RFC 8996",
    help="old-protocols",
)
GROUP = Finding(
    rule="house.post-quantum",
    level=FindingLevel.INFO,
    title="Post-quantum key exchange",
    evidence="x25519",
    cap=Grade.A,
    citation="draft",
)
KEY = Finding(rule="k", level=FindingLevel.GOOD, title="Key strength", evidence="ec 256", citation="x")


def card(**fields: Any) -> ReportCard:
    given: dict[str, Any] = {
        "scan_id": UUID(int=1),
        "target": target(),
        "requested_at": NOW,
        "outcome": Outcome.OK,
        "grade": Grade.C,
        "posture_grade": Grade.C,
        "findings": (KEY, GROUP, OLD),
        "deciding": (OLD.rule,),
        "rulebook": "vigilo-2026",
        "trust_store": "certifi-1",
        "graded_at": NOW,
        **fields,
    }
    return ReportCard(**given)


def lines(what: RenderableType) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=120, markup=False, highlight=False, emoji=False).print(what)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_letter_deciding_rule_rulebook_and_store_come_first() -> None:
    first = lines(card_body(card()))[0]
    assert first == "C; decided by: Best protocol version (vigilo-2026, certifi-1)"


def test_findings_are_listed_the_worst_first_each_with_its_mark_and_evidence() -> None:
    shown = lines(card_body(card()))[1:4]
    assert [line.split()[0] for line in shown] == ["FAIL", "info", "ok"]
    assert "TLSv1.0 accepted beside TLSv1.3 (at best C)" in shown[0]


def test_the_way_up_is_in_the_order_of_the_card() -> None:
    first = Improvement(rule=OLD.rule, fix="switch TLS 1.0 off", grade_then=Grade.A)
    second = Improvement(rule=GROUP.rule, fix="offer X25519MLKEM768", grade_then=Grade.A_PLUS)
    shown = lines(card_body(card(to_improve=(first, second))))
    start = shown.index("The way to A+")
    assert shown[start + 1].split(maxsplit=1) == ["A", "Best protocol version      switch TLS 1.0 off"]
    assert shown[start + 2].startswith("A+") and "offer X25519MLKEM768" in shown[start + 2]


def test_a_way_that_ends_below_the_top_does_not_promise_it() -> None:
    one = Improvement(rule=OLD.rule, fix="switch TLS 1.0 off", grade_then=Grade.B)
    assert "What would make it better" in lines(card_body(card(to_improve=(one,))))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"grade": Grade.F, "posture_grade": Grade.A}, "F, A if trusted"),
        ({"special": Special.T, "grade": Grade.F}, "F (T by vigilo-2026)"),
        ({"provisional": True}, "provisional: what else the server accepts was not asked"),
        ({"grade": None, "posture_grade": None, "findings": (), "deciding": ()}, "no letter"),
    ],
)
def test_what_is_odd_about_the_letter_is_said(fields: dict[str, Any], words: str) -> None:
    assert words in lines(card_body(card(**fields)))[0]


def test_each_entry_that_explains_is_named_once() -> None:
    shown = lines(card_body(card(findings=(OLD, OLD, KEY), provisional=True)))
    assert [line for line in shown if line.startswith("see ")] == [
        "see docs/troubleshooting.md#old-protocols",
        "see docs/troubleshooting.md#provisional-grade",
    ]


def test_a_card_that_names_no_deciding_rules_is_asked_for_its_caps() -> None:
    assert deciding(card(deciding=())) == [OLD]


def test_clients_are_listed_with_what_they_get_or_why_not() -> None:
    good = ClientResult(
        name="Firefox", connects=Connects.YES, version="TLSv1.3", suite="TLS_AES_128_GCM_SHA256", group="x25519"
    )
    plain = ClientResult(
        name="Java 8", connects=Connects.YES, version="TLSv1.2", suite="TLS_RSA_X", forward_secret=False
    )
    bad = ClientResult(name="IE 8", connects=Connects.NO, reason="no version in common")
    page = lines(card_body(card(clients=(good, plain, bad))))
    shown = page[page.index("What well-known clients get (worked out, not tried)") + 1 :]
    assert shown[0].startswith("ok") and shown[0].endswith("TLSv1.3, TLS_AES_128_GCM_SHA256, x25519")
    assert shown[1].endswith("no forward secrecy")
    assert shown[2].startswith("no") and shown[2].endswith("no version in common")


def test_nothing_in_a_card_reaches_the_terminal_as_control() -> None:
    finding = OLD.model_copy(update={"evidence": HOSTILE, "title": HOSTILE, "help": HOSTILE})
    way = Improvement(rule=OLD.rule, fix=HOSTILE, grade_then=Grade.A)
    client = ClientResult(name=HOSTILE, connects=Connects.NO, reason=HOSTILE)
    fields: dict[str, Any] = {"findings": (finding,), "to_improve": (way,), "rulebook": HOSTILE, "trust_store": HOSTILE}
    shown = lines(card_body(card(**fields, clients=(client,))))
    assert any("not red" in line for line in shown)
    assert all(line.isprintable() for line in shown)
