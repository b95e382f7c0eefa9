"""A report card as a section of the page, from the card alone: what the API and the event say, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vigilo.events.cards import Finding, FindingLevel, Grade, ReportCard
from vigilo.events.clients import ClientResult, Connects
from vigilo.events.help import Help, address
from vigilo_cli.wording import safe

_LEVELS = {
    FindingLevel.GOOD: ("ok", "green"),
    FindingLevel.INFO: ("info", "cyan"),
    FindingLevel.WARNING: ("warn", "yellow"),
    FindingLevel.FAILURE: ("FAIL", "bold red"),
    FindingLevel.UNKNOWN: ("?", "yellow"),
}
_WORST_FIRST = (
    FindingLevel.FAILURE,
    FindingLevel.WARNING,
    FindingLevel.UNKNOWN,
    FindingLevel.INFO,
    FindingLevel.GOOD,
)
_CONNECTS = {Connects.YES: ("ok", "green"), Connects.NO: ("no", "bold red"), Connects.UNKNOWN: ("?", "yellow")}


def deciding(card: ReportCard) -> list[Finding]:
    """The findings that hold the letter where it is; cards that do not name them are asked for their caps."""
    if card.deciding:
        return [one for one in card.findings if one.rule in card.deciding]
    return [one for one in card.findings if one.cap is not None and one.cap == card.grade]


def card_body(card: ReportCard) -> RenderableType:
    """Letter, rulebook and trust store, then every finding, the way up, and where to read more."""
    return Group(*_parts(card))


def _parts(card: ReportCard) -> Iterator[RenderableType]:
    yield _heading(card)
    yield _findings(card)
    if card.to_improve:
        yield Text()
        yield Text(
            "What would make it better" if card.to_improve[-1].grade_then is not Grade.A_PLUS else "The way to A+"
        )
        yield _improvements(card)
    if card.clients:
        yield Text()
        yield Text("What well-known clients get (worked out, not tried)")
        yield clients_table(card.clients)
    anchors = dict.fromkeys(one.help for one in _sorted(card) if one.help is not None)
    if card.provisional:
        anchors[Help.PROVISIONAL_GRADE.value] = None
    if anchors:
        yield Text()
        yield Group(*(safe(f"see {address(anchor)}", "dim") for anchor in anchors))


def _heading(card: ReportCard) -> Text:
    letter = "no letter" if card.grade is None else f"{card.grade}"
    if card.special is not None:
        letter += f" ({card.special} by {card.rulebook})"
    trusted = f", {card.posture_grade} if trusted" if card.posture_grade not in {None, card.grade} else ""
    provisional = ", provisional: what else the server accepts was not asked" if card.provisional else ""
    held = ", ".join(one.title for one in deciding(card))
    return safe(f"{letter}{trusted}{provisional}" + (f"; decided by: {held}" if held else "")).append_text(
        safe(f" ({card.rulebook}, {card.trust_store})", "dim")
    )


def _sorted(card: ReportCard) -> list[Finding]:
    return sorted(card.findings, key=lambda one: _WORST_FIRST.index(one.level))


def _findings(card: ReportCard) -> Table:
    table = _three_columns()
    for finding in _sorted(card):
        word, style = _LEVELS[finding.level]
        cap = "" if finding.cap is None else f" (at best {finding.cap})"
        table.add_row(Text(word, style), safe(finding.title), safe(f"{finding.evidence}{cap}"))
    return table


def _improvements(card: ReportCard) -> Table:
    """`grade_then` supposes that everything above it was done, too."""
    titles = {one.rule: one.title for one in card.findings}
    table = _three_columns()
    for one in card.to_improve:
        table.add_row(safe(f"{one.grade_then}"), safe(titles.get(one.rule, one.rule)), safe(one.fix))
    return table


def clients_table(clients: Sequence[ClientResult]) -> Table:
    """What well-known clients would get; worked out, not tried."""
    table = _three_columns()
    for one in clients:
        word, style = _CONNECTS[one.connects]
        parts = [one.version, one.suite, one.group, "no forward secrecy" if one.forward_secret is False else None]
        words = ", ".join(part for part in parts if part) if one.connects is Connects.YES else (one.reason or "")
        table.add_row(Text(word, style), safe(one.name), safe(words))
    return table


def _three_columns() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    return table
