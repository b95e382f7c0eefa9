"""The first block of the report: what most people read, and stop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vigilo.events.cards import Finding, FindingLevel, Grade, PathCertificate, ReportCard, TrustReason, Verdict
from vigilo.events.help import address, help_of_outcome
from vigilo.events.scans import Snapshot
from vigilo.events.text import visible
from vigilo_cli.card import deciding
from vigilo_cli.wording import OUTCOMES, client_certificate_words, moment, safe, time_left, validity_style

_DECIDING_SHOWN = 3
_MARKS = {Verdict.YES: ("ok", "green"), Verdict.NO: ("FAIL", "bold red"), Verdict.UNKNOWN: ("?", "yellow")}
_NOTE = ("note", "cyan")
_Marked = tuple[tuple[str, str], Text]
_REASONS = {
    TrustReason.UNKNOWN_ISSUER: "its issuer is not known",
    TrustReason.SELF_SIGNED: "self-signed",
    TrustReason.INCOMPLETE: "the server leaves out an intermediate certificate",
    TrustReason.BAD_SIGNATURE: "a signature is wrong",
    TrustReason.CONSTRAINT: "a certificate may not be used so",
    TrustReason.EXPIRED: "expired",
    TrustReason.NOT_YET_VALID: "not valid yet",
    TrustReason.DISTRUSTED: "distrusted",
    TrustReason.REVOKED: "revoked",
    TrustReason.TOO_COMPLEX: "not known: the chain is too complex",
    TrustReason.UNREADABLE: "not known: a certificate cannot be read",
}


def verdict(snapshot: Snapshot, card: ReportCard) -> RenderableType:
    """The letter and what decided it, then validity, trust and name, each with its mark."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, justify="center")
    table.add_column(overflow="fold")
    table.add_row(_letter(card), _deciding(card))
    for (word, style), text in _lines(snapshot, card):
        table.add_row(Text(word, style), text)
    return table


def failure(snapshot: Snapshot) -> RenderableType:
    """Why there is nothing to judge."""
    lines = [
        Text.assemble(
            ("Scan failed: ", "bold red"), (OUTCOMES[snapshot.outcome], "bold red"), (f" [{snapshot.outcome}]", "dim")
        )
    ]
    if snapshot.detail:
        lines.append(safe(snapshot.detail))
    if (anchor := help_of_outcome(snapshot.outcome)) is not None:
        lines.append(safe(f"see {address(anchor)}", "dim"))
    return Group(*lines)


def _letter(card: ReportCard) -> Text:
    if card.grade is None:
        return Text(" ? ", "reverse dim")
    return Text(f" {card.grade} ", f"bold reverse {_colour(card.grade)}")


def _colour(grade: Grade) -> str:
    if grade.rank <= Grade.A_MINUS.rank:
        return "green"
    return "yellow" if grade.rank <= Grade.C.rank else "red"


def _deciding(card: ReportCard) -> Text:
    """The rules that allow no better letter."""
    held = deciding(card)
    if not held:
        return Text("nothing to mend" if card.grade is Grade.A_PLUS else "")
    # Why trust or name failed is said in the lines below.
    untrusted = card.posture_grade not in {None, card.grade}
    words = "; ".join(one.title if untrusted else _with_evidence(one) for one in held[:_DECIDING_SHOWN])
    if len(held) > _DECIDING_SHOWN:
        words += f"; and {len(held) - _DECIDING_SHOWN} more"
    return safe(f"for {words}" + (f" ({card.posture_grade} if trusted)" if untrusted else ""))


def _with_evidence(finding: Finding) -> str:
    unknown = "not known: " if finding.level is FindingLevel.UNKNOWN else ""
    return f"{unknown}{finding.title}: {finding.evidence}" if finding.evidence else f"{unknown}{finding.title}"


def _lines(snapshot: Snapshot, card: ReportCard) -> Iterator[_Marked]:
    if card.path:
        good, text = _validity(card.path[0], at=card.graded_at)
        yield _MARKS[good], text
    yield _MARKS[card.chain_valid], _trust(card)
    yield _MARKS[card.name_matches], _name(card)
    demanded = client_certificate_words(snapshot)
    if demanded is not None:
        yield _NOTE, safe(f"client certificate {demanded}")
    if snapshot.throttled:
        yield _NOTE, Text("the server stopped answering on the way: what it refused is not known", "yellow")


def _validity(leaf: PathCertificate, *, at: datetime) -> tuple[Verdict, Text]:
    if leaf.not_after is None or leaf.not_before is None:
        return Verdict.UNKNOWN, Text("validity not known", "yellow")
    if leaf.not_before > at:
        return Verdict.NO, Text(f"not valid before {moment(leaf.not_before)}", "bold red")
    left = leaf.not_after - at
    good = Verdict.YES if left.total_seconds() >= 0 else Verdict.NO
    return good, Text.assemble((time_left(left), validity_style(left)), f" (until {moment(leaf.not_after)})")


def _trust(card: ReportCard) -> Text:
    if card.chain_valid is Verdict.YES:
        domains = " and ".join(one.domain for one in card.trust if one.trusted is Verdict.YES)
        return Text(f"trusted: chain valid ({domains} roots)")
    why = "not known" if card.chain_reason is None else _REASONS[card.chain_reason]
    detail = f" ({card.chain_detail})" if card.chain_detail and card.chain_detail != why else ""
    word = "not trusted" if card.chain_valid is Verdict.NO else "trust"
    return Text.assemble((f"{word}: {why}", "red" if card.chain_valid is Verdict.NO else "yellow"), visible(detail))


def _name(card: ReportCard) -> Text:
    name = visible(card.target.sni or card.target.hostname)
    if card.name_matches is Verdict.YES:
        return Text(f"name matches: {name}")
    if card.name_matches is Verdict.NO:
        names = ", ".join(card.names[:3]) or "no name at all"
        more = card.names_count - len(card.names[:3])
        others = f" and {more} more" if more > 0 and card.names else ""
        return Text.assemble((f"name does not match: {name}", "red"), visible(f"; the certificate has {names}{others}"))
    return Text(f"name not checked: {name}", "yellow")
